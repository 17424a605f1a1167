"""A worker works on a store in memory as on a database."""

from __future__ import annotations

from typing import Any

from signalpost import Signal
from signalpost.delivery import body
from signalpost.delivery.body import Sent
from signalpost.delivery.execution import Policy
from signalpost.delivery.store import NewDelivery
from signalpost.delivery.worker import Settings, Worker
from signalpost.testing.memory import MemoryStore

paid = Signal(name="tests.memory.paid")


def test_a_worker_needs_no_database(on: Any) -> None:
    seen: list[int] = []

    @on(paid, durable="tests.note", key="number")
    def note(number: int, **kwargs: Any) -> None:
        seen.append(number)

    store = MemoryStore()
    for number in (1, 2, 1):
        message = body.write(
            Sent("tests.memory.paid", None, {"number": number}), {}, limit=lambda: 1024
        )
        store.record(message, [NewDelivery("tests.note", "default", 3, str(number))])
    stats = Worker(store, Settings(once=True), Policy()).run()
    assert stats.done == 3
    assert sorted(seen) == [1, 1, 2]
    assert store.tables.rows == {}
    assert store.tables.beats == {}
