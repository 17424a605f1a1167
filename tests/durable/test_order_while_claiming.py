"""What changes in the middle of a claim must not let a delivery overtake an earlier one of its key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from signalpost import Signal
from signalpost.delivery import receivers
from signalpost.django.models import Delivery
from signalpost.django.stores import store_for

paid = Signal(name="tests.order_while_claiming.paid")


def note(number: int, **kwargs: Any) -> None: ...


@pytest.fixture
def pair(database: str, on: Any) -> list[int]:
    """The ids of two deliveries of one key."""
    on(paid, durable="tests.note", key="number", using=database)(note)
    for _ in range(2):
        paid.send(None, number=1)
    return list(Delivery.objects.using(database).order_by("id").values_list("id", flat=True))


def claim(alias: str) -> list[int]:
    found = store_for(alias).claim_keyed(
        "default", limit=10, owner="worker", lease=60, blocks=receivers.blocks
    )
    return [owed.id for owed in found.owed]


def claim_and_change(alias: str, row: int, **change: Any) -> list[int]:
    """Claim, and have a row changed just after it was looked for what is due."""
    looked: list[str] = []
    changed: list[int] = []

    def meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        if looked and not changed:
            changed.append(row)
            Delivery.objects.using(alias).filter(id=row).update(**change)
        if "available_at) <=" in sql and "ORDER BY id LIMIT" in sql:
            looked.append(sql)
        return execute(sql, *rest)

    with connections[alias].execute_wrapper(meanwhile):
        claimed = claim(alias)
    assert changed, "The claim has not looked for what is due"
    return claimed


def test_one_that_becomes_due_in_the_middle_is_not_overtaken(
    database: str, pair: list[int]
) -> None:
    rows = Delivery.objects.using(database)
    now = timezone.now()
    rows.filter(id=pair[0]).update(available_at=now + timedelta(hours=1))
    due = now - timedelta(hours=1)
    claimed = claim_and_change(database, pair[0], available_at=due) or claim(database)
    assert claimed == pair[:1]


def test_one_whose_lapsed_lease_is_reclaimed_in_the_middle_is_not_overtaken(
    database: str, pair: list[int]
) -> None:
    rows = Delivery.objects.using(database)
    rows.filter(id=pair[0]).update(state="claimed")
    claimed = claim_and_change(database, pair[0], state="ready") or claim(database)
    assert claimed == pair[:1]


def test_one_that_is_cancelled_in_the_middle_is_not_run(database: str, pair: list[int]) -> None:
    assert claim_and_change(database, pair[1], state="cancelled") == pair[:1]
    assert Delivery.objects.using(database).get(id=pair[1]).state == "cancelled"
