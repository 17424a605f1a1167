"""The database's clock, which all times are told by, jumps an hour, forward and back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction

from signalpost import Signal
from signalpost.delivery.store import Claim
from signalpost.django.stores import store_for
from tests.durable.workers import (
    DEADLINE,
    affect,
    claim,
    effects,
    rows,
    run,
    states,
    until,
    work_once,
    working,
)

paid = Signal(name="tests.clocks.paid")
#: By the database, what tells the time in the SQL of its store, and how it is told with an offset.
CLOCKS = {
    "sqlite": ("'now'", "'now', '{:+d} seconds'"),
    "postgresql": ("statement_timestamp()", "(statement_timestamp() + interval '{} seconds')"),
    "mysql": ("UTC_TIMESTAMP(6)", "(UTC_TIMESTAMP(6) + INTERVAL {} SECOND)"),
}
#: Statements that the store keeps, with the clock in them.
KEPT = ("insert_message", "inserting", "recording")
# In a slot too, with the lease that this has.
with_and_without_a_key = pytest.mark.parametrize("keyed", [False, True], ids=["no key", "key"])
atomic_or_not = pytest.mark.parametrize("atomic", [False, True], ids=["plain", "atomic"])


class Clock:
    """A database's clock, as its store and all workers in this process ask for it."""

    def __init__(self, alias: str) -> None:
        self.store = store_for(alias)
        self.told = CLOCKS[connections[alias].vendor]

    def jump(self, hours: float) -> None:
        """Have it be so many hours off, from now on."""
        clock, shifted = self.told[0], self.told[1].format(round(hours * 3600))
        changed = vars(self.store)
        for name in ("now", "later"):
            sql = getattr(type(self.store), name)
            assert clock in sql
            changed[name] = sql.replace(clock, shifted)
        for name in KEPT:
            changed.pop(name, None)

    def close(self) -> None:
        for name in ("now", "later", *KEPT):
            vars(self.store).pop(name, None)


@pytest.fixture
def clock(database: str) -> Iterator[Clock]:
    made = Clock(database)
    yield made
    made.close()


def send(database: str, *numbers: int) -> None:
    """Deliveries of one key, if they have one."""
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number, order="a")


def connect(database: str, on: Any, *, keyed: bool, **options: Any) -> None:
    if keyed:
        options["key"] = "order"

    @on(paid, durable="tests.clocks", using=database, weak=False, **options)
    def receive(number: int, **kwargs: Any) -> None:
        affect(database, number)


def ids(claimed: Claim) -> list[int]:
    return [owed.id for owed in claimed.owed]


# ----------------------------------------------------------------------------------------- forward


@atomic_or_not
@with_and_without_a_key
def test_claim_that_lapses_by_a_jump_is_taken_over_and_settles_nothing(
    database: str, on: Any, clock: Clock, atomic: bool, keyed: bool
) -> None:
    connect(database, on, keyed=keyed, atomic=atomic)
    send(database, 1, 2)
    late = claim(database, keyed=keyed)
    clock.jump(1)
    assert store_for(database).reclaim() == 2
    successor = claim(database, keyed=keyed)
    assert ids(successor) == ids(late)

    run(database, late)
    assert rows(database) == [("claimed", 2), ("claimed", 2)]
    assert effects(database) == ([] if atomic else [1, 2])
    run(database, successor)
    work_once(database)  # those that a worker was lost with are run one by one
    assert rows(database) == []
    # What was in flight ran once more, and in its order; what is atomic had its effect once.
    assert effects(database) == ([1, 2] if atomic else [1, 2, 1, 2])


@with_and_without_a_key
def test_renewal_after_a_jump_forward_holds_by_the_new_time(
    database: str, on: Any, clock: Clock, keyed: bool
) -> None:
    connect(database, on, keyed=keyed)
    send(database, 1, 2)
    held = claim(database, keyed=keyed)
    clock.jump(1)
    leases = len(held.owed) + len(held.slots)
    assert store_for(database).renew(held.owed, held.slots, 60.0) == leases
    assert store_for(database).reclaim() == 0
    send(database, 3)
    assert not {1, 2}.intersection(ids(claim(database, keyed=keyed)))

    run(database, held)
    assert effects(database) == [1, 2]


@with_and_without_a_key
def test_worker_whose_lease_lapses_by_a_jump_is_replaced_while_it_runs(
    database: str, on: Any, clock: Clock, keyed: bool
) -> None:
    begun, release = threading.Event(), threading.Event()

    @on(paid, durable="tests.clocks", using=database, **({"key": "order"} if keyed else {}))
    def receive(number: int, **kwargs: Any) -> None:
        if not begun.is_set():
            begun.set()
            assert release.wait(DEADLINE)
        affect(database, number)

    send(database, 1)
    with working(database):
        assert begun.wait(DEADLINE)
        clock.jump(1)
        try:
            with working(database):
                until(lambda: not rows(database))
            assert effects(database) == [1]
        finally:
            release.set()
    assert effects(database) == [1, 1]
    assert rows(database) == []


# -------------------------------------------------------------------------------------------- back


@with_and_without_a_key
def test_what_was_recorded_before_a_jump_back_runs_when_the_clock_has_caught_up(
    database: str, on: Any, clock: Clock, keyed: bool
) -> None:
    connect(database, on, keyed=keyed)
    send(database, 1)
    clock.jump(-1)
    send(database, 2)
    work_once(database)
    # The first is due in an hour, by this clock. The second waits for it only where they have a key.
    assert effects(database) == ([] if keyed else [2])
    assert states(database) == (["ready", "blocked"] if keyed else ["ready"])

    clock.jump(0)
    work_once(database)
    assert effects(database) == ([1, 2] if keyed else [2, 1])
    assert rows(database) == []


def test_slot_that_was_given_back_before_a_jump_back_is_free_after_it(
    database: str, on: Any, clock: Clock
) -> None:
    connect(database, on, keyed=True)
    send(database, 1)
    work_once(database)
    clock.jump(-1)
    send(database, 2)
    work_once(database)
    assert effects(database) == [1, 2]
    assert rows(database) == []


@with_and_without_a_key
def test_what_a_worker_had_that_was_lost_before_a_jump_back_runs_when_its_lease_is_over(
    database: str, on: Any, clock: Clock, keyed: bool
) -> None:
    connect(database, on, keyed=keyed)
    send(database, 1)
    claim(database, keyed=keyed)  # by a worker that is heard of no more
    clock.jump(-1)
    assert store_for(database).reclaim() == 0
    work_once(database)
    assert (effects(database), rows(database)) == ([], [("claimed", 1)])

    clock.jump(0.1)  # it has caught up, and gone on
    work_once(database)
    assert (effects(database), rows(database)) == ([1], [])


# ----------------------------------------------------------------------------------- in both ways


@pytest.mark.parametrize("hours", [1, -1])
@atomic_or_not
@with_and_without_a_key
def test_claim_in_flight_settles_after_a_jump_if_nobody_took_it_over(
    database: str, on: Any, clock: Clock, atomic: bool, keyed: bool, hours: int
) -> None:
    connect(database, on, keyed=keyed, atomic=atomic)
    send(database, 1, 2)
    held = claim(database, keyed=keyed)
    clock.jump(hours)
    if hours < 0:
        assert store_for(database).reclaim() == 0
        assert claim(database, keyed=keyed).owed == []
    run(database, held)
    assert (effects(database), rows(database)) == ([1, 2], [])


@pytest.mark.parametrize("hours", [1, -1])
@with_and_without_a_key
def test_failure_in_the_moment_of_a_jump_is_retried_and_what_comes_then_is_delivered(
    database: str, on: Any, clock: Clock, keyed: bool, hours: int
) -> None:
    failed: list[int] = []
    options: dict[str, Any] = {"key": "order"} if keyed else {}

    @on(paid, durable="tests.clocks", using=database, max_attempts=2, backoff=0, **options)
    def receive(number: int, **kwargs: Any) -> None:
        if not failed:
            failed.append(number)
            clock.jump(hours)
            raise ValueError("not now")
        affect(database, number)

    send(database, 1)
    with working(database):
        until(lambda: not rows(database))
        send(database, 2)
        until(lambda: not rows(database))
    assert (failed, effects(database)) == ([1], [1, 2])
