"""A worker renews what it has claimed while a thread of it settles that."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from signalpost import Signal
from signalpost.delivery import receivers
from signalpost.delivery.store import DONE, Claim, Finished
from signalpost.django.models import Delivery
from signalpost.django.stores import store_for

paid = Signal(name="tests.renewing.paid")
SECONDS = 20.0


def note(number: int, **kwargs: Any) -> None: ...


@pytest.fixture
def claimed(database: str, on: Any) -> Claim:
    """Deliveries of one key, all but the last of them claimed."""
    on(paid, durable="tests.note", key="number", using=database)(note)
    for _ in range(3):
        paid.send(None, number=1)
    return claim(database, limit=2)


def claim(alias: str, *, limit: int = 9) -> Claim:
    return store_for(alias).claim_keyed(
        "default", limit=limit, owner="worker", lease=60, blocks=receivers.blocks
    )


def test_renewal_in_the_middle_of_the_settling_does_not_undo_it(
    database: str, claimed: Claim
) -> None:
    store = store_for(database)
    renewing = threading.Event()
    renewer = threading.Thread(target=_renew, args=(database, claimed, renewing))

    def before_the_deliveries(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("DELETE"):
            renewer.start()
            assert renewing.wait(SECONDS)
        return execute(sql, *rest)

    results = [Finished(owed, DONE) for owed in claimed.owed]
    with connections[database].execute_wrapper(before_the_deliveries):
        assert store.finish(results, claimed.slots) == 0
    renewer.join(SECONDS)
    assert Delivery.objects.using(database).count() == 1


def _renew(alias: str, claim: Claim, renewing: threading.Event) -> None:
    """Renew; told just before the locks are asked for that the other has."""

    def about_to(execute: Any, sql: str, *rest: Any) -> Any:
        if "signalpost_slot" in sql or sql.startswith("BEGIN"):
            renewing.set()
        return execute(sql, *rest)

    try:
        with connections[alias].execute_wrapper(about_to):
            store_for(alias).renew(claim.owed, claim.slots, 60)
    finally:
        renewing.set()
        connections[alias].close()


def test_renewal_that_comes_after_the_settling_holds_no_slot(database: str, claimed: Claim) -> None:
    store = store_for(database)
    store.finish([Finished(owed, DONE) for owed in claimed.owed], claimed.slots)
    assert store.renew(claimed.owed, claimed.slots, 60) == 0
    assert len(claim(database).owed) == 1
