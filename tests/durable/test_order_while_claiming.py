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


def claim_and_change(alias: str, at: str, change: dict[str, Any], row: int) -> list[int]:
    """Claim, and have a row changed before the first statement that has `at` in it."""
    changed: list[int] = []

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if at in sql and not changed:
            changed.append(row)
            Delivery.objects.using(alias).filter(id=row).update(**change)
        return execute(sql, params, many, context)

    with connections[alias].execute_wrapper(meanwhile):
        claimed = claim(alias)
    assert changed, f"No statement of the claim has {at!r}"
    return claimed


def test_one_that_becomes_due_in_the_middle_is_not_overtaken(
    database: str, pair: list[int]
) -> None:
    rows = Delivery.objects.using(database)
    now = timezone.now()
    rows.filter(id=pair[0]).update(available_at=now + timedelta(hours=1))
    due = {"available_at": now - timedelta(hours=1)}
    assert claim_and_change(database, "slot, state", due, pair[0]) == []
    assert claim(database) == pair[:1]


def test_one_whose_lapsed_lease_is_reclaimed_in_the_middle_is_not_overtaken(
    database: str, pair: list[int]
) -> None:
    rows = Delivery.objects.using(database)
    rows.filter(id=pair[0]).update(state="claimed")
    assert claim_and_change(database, "slot, state", {"state": "ready"}, pair[0]) == []
    assert claim(database) == pair[:1]


def test_one_that_is_cancelled_in_the_middle_is_not_run(database: str, pair: list[int]) -> None:
    cancelled = {"state": "cancelled"}
    assert claim_and_change(database, "attempts + 1", cancelled, pair[1]) == pair[:1]
    assert Delivery.objects.using(database).get(id=pair[1]).state == "cancelled"
