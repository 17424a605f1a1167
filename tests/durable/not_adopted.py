"""Durable receivers of Django's own signals, in a process where they aren't adopted: prints JSON."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "signalpost.django"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SIGNALPOST={"ADOPT": False},
    USE_TZ=True,
)

import django  # noqa: E402

django.setup()

from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models.signals import post_delete, post_save, pre_save  # noqa: E402
from django.dispatch import Signal  # noqa: E402

import signalpost  # noqa: E402
from signalpost.django.models import Delivery, Message  # noqa: E402
from signalpost.testing import drain  # noqa: E402

seen: list[Any] = []
kept: Signal = Signal()


def note(sender: Any, instance: Any, delivery: Any, **kwargs: Any) -> None:
    seen.append([sender.__name__, instance.model, delivery.signal, delivery.attempt])


def deleted(instance: Any, **kwargs: Any) -> None:
    seen.append(["deleted", instance.model])


async def later(number: int, **kwargs: Any) -> None:
    seen.append(["later", number])


def refused(**options: Any) -> str:
    try:
        signalpost.receiver(pre_save, **options)(note)
    except signalpost.ReceiverError as error:
        return str(error)
    return ""


def main() -> dict[str, Any]:
    found: dict[str, Any] = {"adopted": isinstance(post_save, signalpost.Signal)}
    call_command("migrate", verbosity=0)
    named = {"durable": "tests.note", "when": lambda instance: instance.model != "skipped"}
    for _ in range(2):  # the second time it is connected already
        signalpost.receiver(post_save, sender=ContentType, **named)(note)
    signalpost.receiver(post_delete, sender=ContentType, durable=True)(deleted)
    signalpost.receiver(kept, durable=True, key="number", max_attempts=3)(later)
    try:
        with transaction.atomic():
            ContentType.objects.create(app_label="a", model="lost")
            raise ZeroDivisionError  # noqa: TRY301 - for the rollback
    except ZeroDivisionError:
        found["after a rollback"] = Message.objects.count()
    ContentType.objects.create(app_label="a", model="one")
    ContentType.objects.create(app_label="a", model="skipped").delete()
    kept.send(sender=None, number=5)
    found["rows"] = list(Delivery.objects.order_by("id").values_list("receiver", "ordering_key"))
    drain()
    found["seen"] = list(seen)
    post_save.disconnect(note, sender=ContentType)
    ContentType.objects.create(app_label="a", model="two")
    found["after disconnect"] = Delivery.objects.count()
    found["refused"] = [refused(durable=True), refused(durable="tests.note", fields=["model"])]
    return found


if __name__ == "__main__":
    print(json.dumps(main()))
