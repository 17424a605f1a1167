"""A database whose connections are cut, or whose calls fail: workers go on, nothing is lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction

from signalpost import Signal
from signalpost.delivery.batch import Batch
from signalpost.delivery.running import Checks, Runner
from signalpost.delivery.worker import Settings
from signalpost.django.models import Delivery
from signalpost.django.stores import store_for
from signalpost.django.working import make_worker, policy_for
from tests.durable.workers import (
    DEADLINE,
    affect,
    claim,
    effects,
    rows,
    run,
    states,
    until,
    working,
)

paid = Signal(name="tests.trouble.paid")


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


#: Of the `database` fixture, the servers.
on_servers = pytest.mark.parametrize(
    "database", ["postgres", "mariadb"], indirect=True, ids=["postgresql", "mariadb"]
)


def own_connection(alias: str) -> int:
    """What the server knows this thread's connection by."""
    with connections[alias].cursor() as cursor:
        is_mysql = connections[alias].vendor == "mysql"
        cursor.execute("SELECT connection_id()" if is_mysql else "SELECT pg_backend_pid()")
        number: int = cursor.fetchone()[0]
        return number


def end_connections(alias: str, spared: int) -> int:
    """End the connections to the test's database but for one, as a server does that is stopped at once.

    From a thread with a connection of its own, since the caller's may be among them.
    """
    ended: list[int] = []

    def end() -> None:
        own = own_connection(alias)
        with connections[alias].cursor() as cursor:
            if connections[alias].vendor == "postgresql":
                cursor.execute(
                    "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                    "current_database() AND pid NOT IN (%s, %s)",
                    [own, spared],
                )
                ended.extend(row[0] for row in cursor.fetchall())
            else:
                cursor.execute(
                    "SELECT id FROM information_schema.processlist WHERE db = database() "
                    "AND id NOT IN (%s, %s)",
                    [own, spared],
                )
                for (each,) in cursor.fetchall():
                    with contextlib.suppress(OperationalError):  # it may have ended by itself
                        cursor.execute(f"KILL {each}")
                        ended.append(each)
        connections[alias].close()

    thread = threading.Thread(target=end)
    thread.start()
    thread.join(DEADLINE)
    return len(ended)


class Failing:
    """A store some of whose calls fail: so often, with such an error."""

    def __init__(self, store: Any, name: str, times: int, error: Exception) -> None:
        self._store = store
        self._name = name
        self._error = error
        self.left = times

    def __getattr__(self, name: str) -> Any:
        if name == self._name and self.left:
            self.left -= 1
            return self._fail
        return getattr(self._store, name)

    def _fail(self, *args: Any, **named: Any) -> Any:
        raise self._error


# ----------------------------------------------------------------------------- it is cut off


@on_servers
def test_worker_outlives_its_connections(database: str, on: Any) -> None:
    on(paid, durable="tests.restart", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    own = own_connection(database)
    with working(database):
        for number in (1, 2):
            send(database, number)
            until(lambda: not rows(database))
            assert end_connections(database, own)
    assert effects(database) == [1, 2]


@on_servers
@pytest.mark.parametrize("atomic", [True, False])
def test_connections_that_are_cut_in_a_receiver_lose_nothing(
    database: str, on: Any, atomic: bool
) -> None:
    own, stopped = own_connection(database), []

    @on(paid, durable="tests.stopped", using=database, atomic=atomic, backoff=0)
    def receive(number: int, **kwargs: Any) -> None:
        if number == 1 and not stopped:
            stopped.append(end_connections(database, own))
        affect(database, number)

    send(database, 0, 1, 2)
    with working(database):
        until(lambda: not rows(database))
    assert sorted(effects(database)) == [0, 1, 2]


@on_servers
def test_what_has_run_is_settled_when_the_database_is_back(database: str, on: Any) -> None:
    on(paid, durable="tests.back", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    own, stopped = own_connection(database), []

    def step(name: str) -> None:
        if name == "before settle" and not stopped:
            stopped.append(end_connections(database, own))

    send(database, 0, 1, 2)
    with working(database, step=step):
        until(lambda: not rows(database))
    assert (effects(database), len(stopped)) == ([0, 1, 2], 1)


def test_lost_connection_of_a_receiver_costs_the_others_nothing(database: str, on: Any) -> None:
    seen: list[int] = []
    on(paid, durable="tests.lost", using=database)(lose_the_connection(seen))
    send(database, 1, 2, 3)
    run(database, claim(database), checks=Lost())
    assert (seen, rows(database)) == ([1, 2, 3], [("ready", 1)] * 3)


@pytest.mark.parametrize("atomic", [True, False])
def test_nothing_more_is_begun_while_the_database_is_away(
    database: str, on: Any, atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    on(paid, durable="tests.away", using=database, atomic=atomic)(lose_the_connection(seen))
    send(database, 1, 2, 3)
    monkeypatch.setattr(Batch, "_is_away", lambda self: True)
    run(database, claim(database), checks=Lost())
    assert (seen, rows(database)) == ([1], [("ready", 1), ("ready", 0), ("ready", 0)])
    # Of a batch it may be any one that the database was lost of: it is run alone the next time.
    errors = Delivery.objects.using(database).order_by("id").values_list("last_error", flat=True)
    assert (errors[0] == "worker lost") is atomic


def lose_the_connection(seen: list[int]) -> Callable[..., None]:
    def receive(number: int, **kwargs: Any) -> None:
        seen.append(number)
        raise OperationalError("gone")

    return receive


class Lost(Checks):
    """Checks that find a connection lost after each error."""

    def clean(self) -> bool:
        return True


@pytest.mark.parametrize("times", [1, 3])
def test_settling_is_tried_again_and_the_receivers_run_once(
    database: str, on: Any, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    on(paid, durable="tests.again", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    send(database, 1, 2)
    store = Failing(store_for(database), "finish", times, OperationalError("deadlock detected"))
    waits: list[float] = []
    claimed = claim(database)
    runner = Runner(store, policy_for(database), wait=waits.append)  # type: ignore[arg-type]
    runner.run(claimed, runner.clock() + 60)
    assert (effects(database), rows(database)) == ([1, 2], [])
    assert waits == [0.05, 0.1, 0.2][:times]
    assert caplog.messages[0] == "Cannot settle 2 deliveries, again in 0.05 s: deadlock detected"


def test_settling_is_given_up_when_the_lease_is_over(database: str, on: Any) -> None:
    on(paid, durable="tests.given_up", using=database)(lambda **kwargs: None)
    send(database, 1)
    store = Failing(store_for(database), "finish", 99, OperationalError("gone"))
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += 10

    runner = Runner(store, policy_for(database), wait=wait, clock=lambda: now[0])  # type: ignore[arg-type]
    with pytest.raises(OperationalError, match="gone"):
        runner.run(claim(database), 25.0)
    assert now[0] == 30.0
    assert states(database) == ["claimed"]  # until the lease has lapsed


@pytest.mark.parametrize("call", ["due", "claim", "finish", "reclaim", "beat", "paused", "leave"])
def test_worker_goes_on_after_trouble_in(database: str, on: Any, call: str) -> None:
    on(paid, durable="tests.goes_on", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    send(database, 1)
    worker = make_worker(database, Settings(poll=(0.005, 0.02)))
    worker.store = failing = Failing(worker.store, call, 1, OperationalError("trouble"))  # type: ignore[assignment]
    thread = threading.Thread(target=worker.run)
    thread.start()
    until(lambda: not rows(database))
    until(lambda: call == "leave" or not failing.left)
    worker.stop()
    thread.join(DEADLINE)
    assert (failing.left, effects(database), rows(database)) == (0, [1], [])
