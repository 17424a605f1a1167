"""Workers, producers and operators in each other's way: nobody meets a deadlock, nothing is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from signalpost.delivery.store import CANCELLED, DEAD, DONE, READY, Finished
from signalpost.django.models import Delivery
from signalpost.django.operating.actions import Selection, cancel, retry
from signalpost.django.stores import store_for
from signalpost.testing.store_contract.subject import record
from tests.durable.stores.subjects import DatabaseSubject

ROUNDS = 12


class Crossing:
    """Threads that each do their part in rounds, until all have."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.stores = [store_for(alias), DatabaseSubject(alias).another(64)]
        self.recorded = 0
        self.done = 0
        self.lock = threading.Lock()
        self.errors: list[BaseException] = []

    def run(self, *parts: Callable[[random.Random], object]) -> None:
        threads = [
            threading.Thread(target=self._run, args=(part, random.Random(number)))
            for number, part in enumerate(parts)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()

    def _run(self, part: Callable[[random.Random], object], chance: random.Random) -> None:
        try:
            for _ in range(ROUNDS):
                part(chance)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def produce(self, chance: random.Random) -> None:
        kept = chance.random() < 0.8
        count = chance.randint(1, 5)
        with transaction.atomic(using=self.alias):
            for _ in range(count):
                key = chance.choice([None, "hot", f"key {chance.randint(0, 20)}"])
                receiver = chance.choice(["tests.note", "tests.other"])
                record(chance.choice(self.stores), receiver, key=key)
            if not kept:
                transaction.set_rollback(True, using=self.alias)
        with self.lock:
            self.recorded += count * kept

    def work(self, chance: random.Random) -> None:
        store = chance.choice(self.stores)
        options: dict[str, Any] = {"limit": 20, "owner": "worker", "lease": 60.0}
        for lane, keyed in store.due(["default"]):
            if keyed:
                claim = store.claim_keyed(lane, blocks=lambda receiver: True, **options)
            else:
                claim = store.claim(lane, **options)
            renewing = threading.Thread(
                target=self._quietly, args=(store.renew, claim.owed, claim.slots, 60.0)
            )
            renewing.start()
            states = [chance.choice([DONE, DONE, DONE, READY, DEAD]) for _ in claim.owed]
            states[:1] = [DONE] * len(claim.owed[:1])
            results = [
                Finished(owed, state) for owed, state in zip(claim.owed, states, strict=True)
            ]
            assert store.finish(results, claim.slots) == 0
            renewing.join()
            with self.lock:
                self.done += states.count(DONE)

    def _quietly(self, call: Callable[..., object], *args: Any) -> None:
        try:
            call(*args)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def keep(self, chance: random.Random) -> None:
        assert chance.choice(self.stores).reclaim() == 0

    def operate(self, chance: random.Random) -> None:
        if chance.random() < 0.7:
            retry(self.alias, Selection())
        else:
            cancel(self.alias, Selection(receiver="tests.other"))


@pytest.fixture
def crossing(database: str) -> Crossing:
    return Crossing(database)


def test_claims_settling_recording_and_operating_meet_no_deadlock(crossing: Crossing) -> None:
    c = crossing
    for number in range(ROUNDS):
        c.produce(random.Random(number))
    c.run(c.produce, c.produce, c.work, c.work, c.work, c.keep, c.operate)
    assert c.errors == []
    left = Delivery.objects.using(c.alias)
    assert left.count() == c.recorded - c.done
    assert c.done > 0
    cancel(c.alias, Selection())
    assert set(left.values_list("state", flat=True)) <= {CANCELLED}
