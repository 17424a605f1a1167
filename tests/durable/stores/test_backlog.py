"""What waits, is dead or is for later doesn't make work on the rest slower."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signalpost.delivery.store import DONE, READY, Claim, Finished
from signalpost.django.stores.base import DatabaseStore
from tests.durable.conftest import empty
from tests.durable.stores.backlog import Backlog, read

OPTIONS: dict[str, Any] = {"limit": 20, "owner": "worker", "lease": 60.0}


def claim_keyed(store: DatabaseStore, lane: str = "default", *, blocks: bool = True) -> Claim:
    return store.claim_keyed(lane, blocks=lambda receiver: blocks, **OPTIONS)


def settle(store: DatabaseStore, state: str = DONE) -> None:
    claim = claim_keyed(store)
    assert len(claim.owed) >= 16
    store.finish([Finished(owed, state, after=60.0) for owed in claim.owed], claim.slots)


def look(store: DatabaseStore) -> None:
    assert store.lanes() == ["default", "later"]
    assert len(store.due(["default", "later", "none"])) == 2


def claim(store: DatabaseStore) -> None:
    assert len(store.claim("default", **OPTIONS).owed) == 20
    assert store.claim("later", **OPTIONS).owed == []


WORK: dict[str, Callable[[DatabaseStore], object]] = {
    "look": look,
    "claim": claim,
    "claim keys that block": claim_keyed,
    "claim keys that skip": lambda store: claim_keyed(store, blocks=False),
    "claim keys that are for later": lambda store: claim_keyed(store, "later"),
    "settle": settle,
    "retry": lambda store: settle(store, READY),
    "reclaim": DatabaseStore.reclaim,
}


def test_dead_ready_and_far_future_rows_in_front_cost_nothing(database: str) -> None:
    few, many = (_read(database, count) for count in (32, 1024))
    slower = {work: (few[work], many[work]) for work in WORK if many[work] > 2 * few[work] + 50}
    assert slower == {}, "Read of 700 rows, and of 22,000"


def _read(database: str, count: int) -> dict[str, int]:
    empty(database)
    backlog = Backlog(database, count)
    backlog.fill()
    # PostgreSQL does so by itself; SQLite does not, and has to find its way without.
    if backlog.store.connection.vendor != "sqlite":
        backlog.analyze()
    return {
        name: read(database, lambda work=work: work(backlog.store)) for name, work in WORK.items()
    }
