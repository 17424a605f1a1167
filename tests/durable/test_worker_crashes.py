"""Workers in processes that are killed, or stopped and continued: nothing is lost."""

from __future__ import annotations

import signal
from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError, connections

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
    with WorkerProcess(
        database, connect=connect, kill_at=(step, times), once=True, **options
    ) as worker:
        assert worker.end() == KILLED


@pytest.fixture(params=["after the claim", "in the receiver", "before settling", "after settling"])
def failpoint(request: pytest.FixtureRequest) -> tuple[str, int]:
    """A step, and the how-manieth time a worker comes to it."""
    return {
        "after the claim": ("claimed", 1),
        "in the receiver": ("running", 2),
        "before settling": ("before settle", 1),
        "after settling": ("settled", 1),
    }[request.param]


def test_kill_at_a_failpoint_loses_nothing(
    database: str, connect: Any, failpoint: tuple[str, int]
) -> None:
    options = connect()
    send(0, 1, 2)
    crash(database, options, *failpoint)
    let_leases_lapse(database)
    work_once(database)
    assert rows(database) == []
    counts = Counter(effects(database))
    assert set(counts) == {0, 1, 2}
    in_flight = {"claimed": 0, "running": 1, "before settle": 3, "settled": 0}[failpoint[0]]
    assert sum(counts.values()) - 3 == in_flight


def test_kill_at_a_failpoint_has_atomic_receivers_take_effect_exactly_once(
    database: str, connect: Any, failpoint: tuple[str, int]
) -> None:
    options = connect(atomic=True)
    send(0, 1, 2)
    crash(database, options, *failpoint)
    let_leases_lapse(database)
    work_once(database)
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
    """Stop it at a moment at which it doesn't hold SQLite's only lock."""
    connection = connections[database]
    while True:
        worker.send(signal.SIGSTOP)
        if connection.vendor != "sqlite" or not is_locked(connection):
            return
        worker.send(signal.SIGCONT)


def is_locked(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 100")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        except OperationalError:
            return True
        finally:
            cursor.execute("PRAGMA busy_timeout = 20000")
    return False


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
