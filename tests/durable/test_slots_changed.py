"""The number of slots is changed in a rolling deploy: the old and the new processes work beside each other."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from signalpost import Signal
from signalpost.delivery.store import slots_counted
from signalpost.delivery.worker import Settings, Worker
from signalpost.django.models import Delivery
from signalpost.django.stores import store_for
from signalpost.django.working import make_worker
from tests.durable.workers import DEADLINE, rows, until

paid = Signal(name="tests.slots_changed.paid")
KEYS = 8  # more than the slots that one claim of the test takes
COUNT = 12
NEW = 32


class Runs:
    """What a receiver was run with, by key. Some fail once, so that others stand behind them."""

    def __init__(self) -> None:
        self.done: dict[int, list[int]] = {key: [] for key in range(KEYS)}
        self.failed: set[tuple[int, int]] = set()
        self.running: set[int] = set()
        self.together: list[int] = []

    def __call__(self, key: int, number: int, **kwargs: Any) -> None:
        if key in self.running:
            self.together.append(key)
        self.running.add(key)
        try:
            if number % 4 == key % 4 and (key, number) not in self.failed:
                self.failed.add((key, number))
                raise ValueError("not now")
            self.done[key].append(number)
        finally:
            self.running.discard(key)


@pytest.fixture
def runs(database: str, on: Any) -> Runs:
    made = Runs()
    options = {"key": "key", "backoff": 0, "max_attempts": 2}

    @on(paid, durable="tests.slots_changed", using=database, **options)
    def receive(**kwargs: Any) -> None:
        made(**kwargs)

    return made


def send(database: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One delivery of each key, by the old and the new processes in turn."""
    for key in range(KEYS):
        slots = NEW if (number + key) % 2 else 256
        monkeypatch.setattr(store_for(database), "slots", slots)
        paid.send(None, key=key, number=number)


def side_by_side(database: str) -> list[Worker]:
    """Two workers; neither runs anything before both have something to run."""
    both = threading.Barrier(2, timeout=DEADLINE)

    def make() -> Worker:
        begun: list[str] = []

        def step(name: str) -> None:
            if name == "running" and not begun:
                begun.append(name)
                both.wait()

        settings = Settings(poll=(0.002, 0.01), batch=4, lease=DEADLINE)
        return make_worker(database, settings, step=step)

    return [make(), make()]


def test_old_and_new_workers_side_by_side_keep_the_order_and_lose_nothing(
    database: str, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = side_by_side(database)
    new.store = type(store_for(database))(database, slots=NEW)
    for number in range(3):  # of each key something is there in both countings from the start
        send(database, number, monkeypatch)
    slots = Delivery.objects.using(database).values_list("slot", flat=True)
    assert {slots_counted(slot) for slot in slots} == {256, NEW}

    threads = [threading.Thread(target=worker.run) for worker in (old, new)]
    for thread in threads:
        thread.start()
    try:
        for number in range(3, COUNT):
            send(database, number, monkeypatch)
        # Housekeeping frees what both set aside in one moment; not every 5 seconds only.
        until(lambda: store_for(database).reclaim() == 0 and not rows(database))
    finally:
        for worker in (old, new):
            worker.stop()
        for thread in threads:
            thread.join(DEADLINE)
        connections[database].close()

    assert runs.done == {key: list(range(COUNT)) for key in range(KEYS)}
    assert runs.together == []
    assert len(runs.failed) == KEYS * COUNT // 4
    assert old.stats.done + new.stats.done == KEYS * COUNT
    assert min(worker.stats.done + worker.stats.retried for worker in (old, new)) > 0
