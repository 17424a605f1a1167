from __future__ import annotations

from typing import Any

from signalpost import Signal
from signalpost.django.models import Delivery
from signalpost.django.stores import store_for

paid = Signal(name="tests.lapsed.paid")


def note(**kwargs: Any) -> None: ...


def test_delivery_with_a_lapsed_lease_is_ready_again(database: str, on: Any) -> None:
    on(paid, durable="tests.lapsed", using=database)(note)
    paid.send(None, number=1)
    store = store_for(database)
    [owed] = store.claim("default", limit=9, owner="worker", lease=-1).owed
    assert store.reclaim() == 1
    assert store.reclaim() == 0
    [row] = Delivery.objects.using(database)
    assert (row.state, row.fence, row.last_error) == ("ready", owed.fence + 1, "worker lost")
