"""A worker: its threads, what they are given to do, its leases, and how it stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from signalpost import Signal
from signalpost.delivery.claiming import Claiming
from signalpost.delivery.leases import Leases
from signalpost.delivery.store import Claim, Owed, Slot
from signalpost.delivery.waiting import Every, Poll, Wake
from signalpost.delivery.worker import Settings
from signalpost.django.models import Delivery, Message
from signalpost.django.models import Slot as SlotRow
from signalpost.django.models import Worker as WorkerRow
from signalpost.django.working import make_worker
from tests.durable.workers import (
    DEADLINE,
    affect,
    effects,
    rows,
    states,
    until,
    work_once,
    working,
)

paid = Signal(name="tests.worker.paid")


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


# -------------------------------------------------------------------------------------- working


def test_worker_runs_what_is_recorded_while_it_waits(database: str, on: Any) -> None:
    on(paid, durable="tests.note", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    with working(database) as worker:
        for number in (1, 2):
            send(database, number)
            until(lambda: not rows(database))
        assert WorkerRow.objects.using(database).get().name == worker.name
    assert effects(database) == [1, 2]
    assert not WorkerRow.objects.using(database).exists()


def test_once_runs_what_that_leads_to_and_ends(database: str, on: Any) -> None:
    @on(paid, durable="tests.count_down", using=database, key="number")
    def receive(number: int, **kwargs: Any) -> None:
        affect(database, number)
        if number:
            paid.send(None, number=number - 1)

    send(database, 3)
    assert work_once(database).stats.done == 4
    assert effects(database) == [3, 2, 1, 0]


def test_threads_share_the_work_and_count_it_exactly(database: str, on: Any) -> None:
    threads: set[str] = set()
    two = threading.Barrier(2, timeout=DEADLINE)
    seen: list[int] = []

    @on(paid, durable="tests.shared", using=database)
    def receive(number: int, **kwargs: Any) -> None:
        if len(threads) < 2:
            threads.add(threading.current_thread().name)
            two.wait()
        seen.append(number)

    send(database, *range(60))
    worker = work_once(database, concurrency=2, batch=5)
    assert (len(threads), worker.stats.done) == (2, 60)
    assert (sorted(seen), rows(database)) == (list(range(60)), [])


def test_stats_count_what_all_threads_note() -> None:
    from signalpost.delivery.store import DONE, Finished
    from signalpost.delivery.worker import Stats

    stats = Stats()
    done = Finished(owed(1), DONE)

    def note() -> None:
        for _ in range(2000):
            stats.note(done)

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert stats.done == 8000


def test_delivery_of_a_far_future_is_in_nobodys_way(database: str, on: Any) -> None:
    on(paid, durable="tests.far", using=database)(lambda number, **kwargs: affect(database, number))
    send(database, 1)
    Delivery.objects.using(database).update(available_at=timezone.now() + timedelta(days=3650))
    send(database, 2)
    assert work_once(database).stats.done == 1
    assert (effects(database), states(database)) == ([2], ["ready"])


def test_100_000_dead_rows_in_front_are_in_nobodys_way(database: str, on: Any) -> None:
    on(paid, durable="tests.behind", using=database)(lambda **kwargs: None)
    send(database, 1)
    Delivery.objects.using(database).update(state="dead")
    multiply(database, 100_000)
    send(database, 2)
    steps: list[str] = []
    worker = make_worker(database, Settings(once=True), step=steps.append)
    started = time.perf_counter()
    assert worker.run().done == 1
    # Ten looks at all of them would take longer.
    assert time.perf_counter() - started < 5
    assert "settled" in steps
    with connections[database].cursor() as cursor:  # in no time, where it can be
        what = "DELETE FROM" if connections[database].vendor == "sqlite" else "TRUNCATE"
        cursor.execute(f"{what} {Delivery._meta.db_table}")


def multiply(database: str, count: int) -> None:
    """Make so many of the one delivery that there is."""
    table, message = Delivery._meta.db_table, Message.objects.using(database).get().pk
    columns = (
        "lane, slot, ordering_key, state, attempts, max_attempts, available_at, fence, "
        "claimed_by, last_error"
    )
    with connections[database].cursor() as cursor:
        have = 1
        while have < count:
            more = min(have, count - have)
            cursor.execute(f"SELECT max(id) FROM {table}")
            (last,) = cursor.fetchone()
            text = "char(20)" if connections[database].vendor == "mysql" else "text"
            cursor.execute(
                f"INSERT INTO {table} (message_id, receiver, {columns}) "
                f"SELECT {message}, CAST(id + {last} AS {text}), {columns} FROM {table} "
                f"ORDER BY id LIMIT {more}"
            )
            have += more
        if connections[database].vendor == "postgresql":
            cursor.execute(f"ANALYZE {table}")


# ------------------------------------------------------------------------------------- stopping


def test_stop_finishes_what_runs_and_hands_back_what_has_not_begun(database: str, on: Any) -> None:
    begun, release = threading.Event(), threading.Event()

    @on(paid, durable="tests.long", using=database)
    def receive(number: int, **kwargs: Any) -> None:
        begun.set()
        assert release.wait(DEADLINE)
        affect(database, number)

    send(database, 1, 2, 3)
    with working(database) as worker:
        assert begun.wait(DEADLINE)
        worker.stop()
        worker.stop()  # a second time says nothing new
        release.set()
    assert (effects(database), rows(database)) == ([1], [("ready", 0), ("ready", 0)])


def test_stop_before_the_start_runs_nothing(database: str, on: Any) -> None:
    on(paid, durable="tests.never", using=database)(lambda **kwargs: None)
    send(database, 1)
    worker = make_worker(database, Settings())
    worker.stop()
    assert worker.run().done == 0
    assert rows(database) == [("ready", 0)]


def test_worker_leaves_no_thread_and_no_connection(database: str, on: Any) -> None:
    before = set(threading.enumerate())

    @on(paid, durable="tests.leaves", using=database, timeout=DEADLINE)
    def receive(**kwargs: Any) -> None: ...

    send(database, 1)
    work_once(database, concurrency=2)
    assert set(threading.enumerate()) <= before


# -------------------------------------------------------------------------------------- waiting


def test_lost_wake_is_made_up_for_by_the_next_look(database: str, on: Any) -> None:
    on(paid, durable="tests.poll", using=database)(lambda **kwargs: None)
    with working(database) as worker:
        worker.wake.set = lambda: None  # type: ignore[method-assign]  # every hint is lost
        send(database, 1)
        until(lambda: not rows(database))
        del worker.wake.set  # type: ignore[method-assign]


@pytest.mark.parametrize("database", ["postgres"], indirect=True, ids=["postgresql"])
def test_notify_wakes_a_worker_that_would_look_much_later(database: str, on: Any) -> None:
    ran = threading.Event()
    on(paid, durable="tests.notify", using=database)(lambda **kwargs: ran.set())
    looked = threading.Event()
    with working(database, settings=Settings(poll=(600.0, 600.0))) as worker:
        store, due = worker.store, worker.store.due

        def look(lanes: Sequence[str]) -> list[tuple[str, bool]]:
            found = due(lanes)
            looked.set()
            return found

        store.due = look  # type: ignore[method-assign]
        try:
            until(lambda: is_listening(database))
            worker.wake.set()  # it may have looked before
            assert looked.wait(DEADLINE)
            send(database, 1)
            assert ran.wait(DEADLINE)
        finally:
            del store.due  # type: ignore[method-assign]


def is_listening(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state = 'idle' AND query LIKE 'LISTEN%%'",
            [],
        )
        return bool(cursor.fetchone()[0])


def test_poll_doubles_up_to_the_longest_wait_and_starts_anew_after_work() -> None:
    poll = Poll(0.02, 0.1)
    assert [poll.nothing() for _ in range(5)] == [0.02, 0.04, 0.08, 0.1, 0.1]
    poll.found()
    assert poll.nothing() == 0.02


def test_wake_that_comes_before_the_wait_ends_it() -> None:
    wake = Wake()
    wake.set()
    assert wake.wait(DEADLINE)
    assert not wake.wait(0)


def test_every_is_true_once_in_its_time() -> None:
    now = [0.0]
    every = Every(5.0, lambda: now[0])
    assert (every(), every()) == (True, False)
    now[0] = 5.0
    assert every()


# ------------------------------------------------------------------------------------- claiming


def owed(number: int) -> Owed:
    return Owed(
        number,
        None,
        "t",
        1,
        "{}",
        "{}",
        None,
        "r",
        "default",
        0,
        None,
        1,
        12,
        1,
        False,  # type: ignore[arg-type]
    )


class Places:
    """A store that always has as much as is asked for in the same places."""

    def __init__(self, *places: tuple[str, bool]) -> None:
        self.places = list(places)
        self.claims: list[tuple[str, bool, int]] = []

    def due(self, lanes: Sequence[str]) -> list[tuple[str, bool]]:
        return [place for place in self.places if place[0] in lanes]

    def claim(self, lane: str, *, limit: int, **options: Any) -> Claim:
        self.claims.append((lane, False, limit))
        return Claim([owed(number) for number in range(limit)])

    def claim_keyed(self, lane: str, *, limit: int, **options: Any) -> Claim:
        self.claims.append((lane, True, limit))
        return Claim([owed(1)], [Slot(lane, 1, 1)])


def claiming(store: Any, lanes: Sequence[str], **options: Any) -> Claiming:
    values: dict[str, Any] = {"batch": 100, "lease": 60.0, "poll": (0.001, 0.002), "once": False}
    return Claiming(
        store, Wake(), threading.Event(), time.monotonic, lanes=lanes, **{**values, **options}
    )


def test_full_lane_costs_another_lane_nothing() -> None:
    store = Places(("hot", False), ("mail", False))
    turns = claiming(store, ["hot", "mail"])
    for _ in range(6):
        turns.next("worker")
    assert [lane for lane, _, _ in store.claims] == ["hot", "mail"] * 3


def test_full_lane_does_not_starve_those_beside_it_that_have_keys() -> None:
    store = Places(("hot", False), ("hot", True))
    turns = claiming(store, ["hot"])
    for _ in range(4):
        turns.next("worker")
    assert [keyed for _, keyed, _ in store.claims] == [False, True, False, True]


def test_slow_receivers_of_one_lane_make_no_other_lanes_claims_small() -> None:
    store = Places(("quick", False), ("slow", False))
    turns = claiming(store, ["quick", "slow"])
    for _ in range(10):
        claimed = turns.next("worker")
        assert claimed is not None
        if claimed.place.lane == "slow":
            turns.learn(claimed, begun=1, seconds=2.0)
        else:
            turns.learn(claimed, begun=len(claimed.claim.owed), seconds=0.01)
    sizes = {lane: limit for lane, _, limit in store.claims}
    assert sizes == {"quick": 100, "slow": 1}


def test_paused_lane_is_left_alone() -> None:
    store = Places(("mail", False), ("web", False))
    turns = claiming(store, ["mail", "web"])
    turns.paused = frozenset({"mail"})
    turns.next("worker")
    turns.next("worker")
    assert [lane for lane, _, _ in store.claims] == ["web", "web"]


def test_once_ends_where_what_is_due_is_anothers() -> None:
    store = Places(("mail", True))
    store.claim_keyed = lambda lane, **options: Claim()  # type: ignore[method-assign]
    assert claiming(store, ["mail"], once=True).next("worker") is None


# --------------------------------------------------------------------------------------- leases


class Renewals:
    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.lost = False

    def renew(self, owed: Sequence[Owed], slots: Sequence[Slot], lease: float) -> int:
        self.seconds.append(lease)
        return 0 if self.lost else len(owed)


def test_lost_lease_is_not_taken_for_a_renewed_one() -> None:
    now, store = [100.0], Renewals()
    leases = Leases(store, 60.0, lambda: now[0])  # type: ignore[arg-type]
    with leases.hold(Claim([owed(1)]), begun=100.0) as lease:
        now[0], store.lost = 200.0, True
        leases.renew()
        assert (store.seconds, lease.until) == ([60.0], 160.0)
        assert not lease.allows(now[0])


def test_lease_is_renewed_when_a_third_of_it_is_over() -> None:
    now, store = [100.0], Renewals()
    leases = Leases(store, 60.0, lambda: now[0])  # type: ignore[arg-type]
    with leases.hold(Claim([owed(1)]), begun=100.0) as lease:
        now[0] = 119.0
        leases.renew()
        assert (store.seconds, lease.until) == ([], 160.0)
        now[0] = 120.0
        leases.renew()
        assert (store.seconds, lease.until) == ([60.0], 180.0)
    now[0] = 150.0
    leases.renew()
    assert store.seconds == [60.0]


def test_nothing_is_begun_in_the_last_seconds_of_a_lease() -> None:
    leases = Leases(Renewals(), 60.0, lambda: 0.0)  # type: ignore[arg-type]
    with leases.hold(Claim(), begun=0.0) as lease:
        assert (lease.allows(54.9), lease.allows(55.0)) == (True, False)


def test_short_lease_leaves_time_to_begin() -> None:
    leases = Leases(Renewals(), 2.0, lambda: 0.0)  # type: ignore[arg-type]
    with leases.hold(Claim(), begun=0.0) as lease:
        assert (lease.allows(1.4), lease.allows(1.5)) == (True, False)


def test_lease_holds_while_a_receiver_takes_longer_than_it(database: str, on: Any) -> None:
    release = threading.Event()
    begun = threading.Event()

    @on(paid, durable="tests.longer", using=database, key="number")
    def receive(number: int, **kwargs: Any) -> None:
        affect(database, number)
        begun.set()
        assert release.wait(DEADLINE)

    send(database, 1)
    with working(database, settings=Settings(lease=0.6, poll=(0.005, 0.02))):
        assert begun.wait(DEADLINE)
        for model in (Delivery, SlotRow):
            first = lease_of(model, database)
            until(lambda model=model, first=first: lease_of(model, database) > first)  # type: ignore[misc]
        release.set()
        until(lambda: not rows(database))
    assert effects(database) == [1]


def lease_of(model: Any, database: str) -> Any:
    return model.objects.using(database).exclude(lease_until=None).get().lease_until


def test_lost_workers_deliveries_are_reclaimed_by_another(database: str, on: Any) -> None:
    on(paid, durable="tests.lost", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    send(database, 1)
    Delivery.objects.using(database).update(
        state="claimed", attempts=1, lease_until=timezone.now() - timedelta(hours=1)
    )
    assert work_once(database).stats.done == 1
    assert (effects(database), rows(database)) == ([1], [])
