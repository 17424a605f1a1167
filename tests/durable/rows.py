"""The rows of durable delivery, as a test writes and reads them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from signalpost.delivery import codec
from signalpost.django.models import Delivery, Message


def craft(
    database: str,
    *,
    topic: str,
    receiver: str,
    body: Any,
    headers: Any = "{}",
    version: int = 1,
    **columns: Any,
) -> Delivery:
    """A delivery that is due, as somebody who can write to the tables may have made it."""
    now = timezone.now() - timedelta(minutes=1)
    message = Message.objects.using(database).create(
        uid=uuid.uuid4(),
        topic=topic,
        version=version,
        body=body if isinstance(body, str) else codec.compose(body),
        headers=headers if isinstance(headers, str) else codec.compose(headers),
        created_at=now,
    )
    values = {"lane": "default", "max_attempts": 3, "available_at": now, "fence": 0, **columns}
    return Delivery.objects.using(database).create(message=message, receiver=receiver, **values)


def deliveries(database: str) -> list[Delivery]:
    """All deliveries, in the order in which they were recorded."""
    return list(Delivery.objects.using(database).select_related("message").order_by("id"))


def receivers(database: str) -> list[str]:
    """The keys of the receivers that are owed something, in the order of the rows."""
    return [each.receiver for each in deliveries(database)]


def messages(database: str) -> list[Message]:
    """All messages, in the order in which they were recorded."""
    return list(Message.objects.using(database).order_by("id"))


def make_due(database: str) -> None:
    """Have all that waits for its time be due now."""
    now = timezone.now() - timedelta(minutes=1)
    Delivery.objects.using(database).update(available_at=now)
