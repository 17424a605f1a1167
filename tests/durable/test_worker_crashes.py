"""Workers in processes that are killed, or stopped and continued: nothing is lost."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Any, NamedTuple

import pytest
from django.db import OperationalError, connections, transaction
from django.utils import timezone

from signalpost.django.models import Delivery, Slot
from tests.durable.processes import WorkerProcess
from tests.durable.worker_process import DEADLY, paid, receiver
from tests.durable.workers import (
    effects,
    let_leases_lapse,
    rows,
    states,
    until,
    work_once,
)

pytestmark = pytest.mark.once
KILLED = -signal.SIGKILL
KEYED = {"key": "one"}
#: A lease whose end is waited for, in seconds.
SHORT = 1.0


@pytest.fixture
def connect(database: str, on: Any) -> Any:
    """Connects the receiver that the processes have too; the options that it is connected with."""

    def connected(**options: Any) -> dict[str, Any]:
        on(paid, durable="tests.receive", using=database, **options)(receiver(database))
        return options

    return connected


def send(*numbers: int) -> None:
    for number in numbers:
        paid.send(None, number=number, one="one")


def crash(database: str, connect: dict[str, Any], step: str, times: int, **options: Any) -> None:
    options = {"once": True, **options}
    with WorkerProcess(database, connect=connect, kill_at=(step, times), **options) as worker:
        assert worker.end() == KILLED


class Failpoint(NamedTuple):
    """A step, the how-manieth time a worker comes to it, and what has had its effect by then."""

    step: str
    times: int
    run: list[int]

    @property
    def settled(self) -> list[int]:
        return self.run if self.step == "settled" else []

    @property
    def in_flight(self) -> list[int]:
        return [] if self.step == "settled" else self.run


FAILPOINTS = {
    "after the claim": Failpoint("claimed", 1, []),
    "before the receiver": Failpoint("running", 2, [0]),
    "in the receiver": Failpoint("affected", 1, [0]),
    "in the second receiver": Failpoint("affected", 2, [0, 1]),
    "before settling": Failpoint("before settle", 1, [0, 1, 2]),
    "after settling": Failpoint("settled", 1, [0, 1, 2]),
}


@pytest.fixture(params=FAILPOINTS)
def failpoint(request: pytest.FixtureRequest) -> Failpoint:
    return FAILPOINTS[request.param]


def crash_at(failpoint: Failpoint, database: str, connect: dict[str, Any]) -> None:
    """Send three, kill a worker that has claimed them, and have another run what it left."""
    send(0, 1, 2)
    crash(database, connect, failpoint.step, failpoint.times)
    assert effects(database) == (failpoint.settled if connect.get("atomic") else failpoint.run)
    let_leases_lapse(database)
    work_once(database)


def test_kill_at_a_failpoint_loses_nothing(
    database: str, connect: Any, failpoint: Failpoint
) -> None:
    crash_at(failpoint, database, connect())
    assert (set(effects(database)), rows(database)) == ({0, 1, 2}, [])


def test_duplicates_of_receivers_that_are_not_atomic_are_within_what_was_in_flight(
    database: str, connect: Any, failpoint: Failpoint
) -> None:
    crash_at(failpoint, database, connect())
    duplicates = Counter(effects(database)) - Counter([0, 1, 2])
    assert sorted(duplicates.elements()) == failpoint.in_flight


def test_kill_at_a_failpoint_has_atomic_receivers_take_effect_exactly_once(
    database: str, connect: Any, failpoint: Failpoint
) -> None:
    crash_at(failpoint, database, connect(atomic=True))
    assert (sorted(effects(database)), rows(database)) == ([0, 1, 2], [])


def test_poison_that_kills_its_process_ends_dead_and_alone(database: str, connect: Any) -> None:
    options = connect(atomic=True, max_attempts=3)
    send(0, DEADLY, 1, 2)
    for _ in range(3):
        with WorkerProcess(database, connect=options, once=True) as worker:
            assert worker.end() == KILLED
        let_leases_lapse(database)
        if states(database).count("ready") == 0:
            break
    with WorkerProcess(database, connect=options, once=True) as worker:
        assert worker.end() == 0
    assert sorted(effects(database)) == [0, 1, 2]
    assert rows(database) == [("dead", 3)]


def test_two_workers_never_run_the_same_row(database: str, connect: Any) -> None:
    options = connect()
    send(*range(20))
    settings: dict[str, Any] = {"connect": options, "once": True, "batch": 3}
    with (
        WorkerProcess(database, stop_at=("claimed", 1), **settings) as one,
        WorkerProcess(database, stop_at=("claimed", 1), **settings) as other,
    ):
        assert (one.hear(), other.hear()) == ("claimed", "claimed")
        one.go_on()
        other.go_on()
        counts = [int(worker.hear().removeprefix("done ")) for worker in (one, other)]
        assert (one.end(), other.end()) == (0, 0)
    assert (sum(counts), min(counts) > 0) == (20, True)
    assert (sorted(effects(database)), rows(database)) == (list(range(20)), [])


def test_one_row_of_two_workers_is_run_by_one(database: str, connect: Any) -> None:
    options = connect()
    with (
        WorkerProcess(database, connect=options, stop_at=("claimed", 1)) as one,
        WorkerProcess(database, connect=options, stop_at=("claimed", 1)) as other,
    ):
        send(1)
        until(lambda: states(database) == ["claimed"])
        heard = [worker for worker in (one, other) if worker._pipe.poll(0.2)]
        assert len(heard) == 1
        assert heard[0].hear() == "claimed"
        heard[0].go_on()
        until(lambda: not rows(database))
        for worker in (one, other):
            worker.send(signal.SIGTERM)
            assert worker.hear() == ("done 1" if worker is heard[0] else "done 0")
            assert worker.end() == 0
    assert effects(database) == [1]


def test_owner_of_a_slot_is_killed_and_another_goes_on_in_order(
    database: str, connect: Any
) -> None:
    options = connect(**KEYED, atomic=True)
    send(0, 1, 2, 3)
    crash(database, options, "running", 2)
    assert claimed_in_vain(database)
    let_leases_lapse(database)
    work_once(database)
    assert (effects(database), rows(database)) == ([0, 1, 2, 3], [])


def claimed_in_vain(database: str) -> bool:
    """Whether nobody else gets at the slot while its lease runs."""
    before = effects(database)
    work_once(database)
    return effects(database) == before and states(database) == ["claimed"] * 4


def stop(database: str, worker: WorkerProcess) -> None:
    """Stop it at a moment at which it locks nothing: who renews a lease does so for a moment."""
    lock = lock_sqlite if connections[database].vendor == "sqlite" else lock_rows
    while True:
        worker.send(signal.SIGSTOP)
        try:
            lock(database)
        except OperationalError:
            worker.send(signal.SIGCONT)
        else:
            return


def lock_sqlite(database: str) -> None:
    with connections[database].cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 100")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        finally:
            cursor.execute("PRAGMA busy_timeout = 20000")


def lock_rows(database: str) -> None:
    with transaction.atomic(using=database):
        for model in (Slot, Delivery):
            list(model._base_manager.using(database).select_for_update(nowait=True))


def test_owner_of_a_slot_is_stopped_past_two_leases_and_continued(
    database: str, connect: Any
) -> None:
    options = connect(**KEYED, atomic=True)
    send(0, 1, 2)
    with WorkerProcess(database, connect=options, stop_at=("claimed", 1), once=True) as owner:
        owner.hear()
        stop(database, owner)
        let_leases_lapse(database)
        crash(database, options, "claimed", 1)  # the second lease is another's, which lapses too
        let_leases_lapse(database)
        work_once(database)
        assert (effects(database), rows(database)) == ([0, 1, 2], [])
        send(3)
        owner.send(signal.SIGCONT)
        owner.go_on()
        assert owner.hear() == "done 1"  # what was sent since; nothing of what was taken from it
        assert owner.end() == 0
    assert (effects(database), rows(database)) == ([0, 1, 2, 3], [])


def is_leased(database: str) -> bool:
    leased = Delivery.objects.using(database).filter(lease_until__gt=timezone.now())
    return leased.exists()


def holders(database: str) -> list[Any]:
    """Who has what, by the deliveries and by their slots."""
    deliveries = Delivery.objects.using(database).order_by("id")
    slots = Slot.objects.using(database).order_by("id")
    return [
        *deliveries.values_list("id", "state", "claimed_by", "fence"),
        *slots.values_list("slot", "owner", "fence"),
    ]


def test_owner_of_a_slot_that_is_stopped_in_a_receiver_past_two_leases_settles_nothing(
    database: str, connect: Any
) -> None:
    options = connect(**KEYED)
    send(0, 1, 2)
    in_a_receiver: dict[str, Any] = {"connect": options, "stop_at": ("received", 1), "once": True}
    with WorkerProcess(database, lease=SHORT, **in_a_receiver) as owner:
        assert owner.hear() == "received"
        stop(database, owner)
        # The second lease is another's, which gets at the slot when the first is over.
        crash(database, options, "claimed", 1, lease=SHORT, once=False)
        until(lambda: not is_leased(database))
        with WorkerProcess(database, **in_a_receiver) as successor:
            assert successor.hear() == "received"
            held = holders(database)
            owner.send(signal.SIGCONT)
            owner.go_on()
            owner.hear()
            assert owner.end() == 0
            assert effects(database) == [0]  # what it was in the midst of, and no other after it
            assert holders(database) == held
            send(3)
            work_once(database)
            assert effects(database) == [0]  # nor has it given back the slot
            successor.go_on()
            assert successor.hear() == "done 4"
            assert successor.end() == 0
    assert (effects(database), rows(database)) == ([0, 0, 1, 2, 3], [])
