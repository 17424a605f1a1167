"""A database that is away, full, locked, or takes a transaction back: workers go on, nothing is lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
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
    work_once,
    working,
)
from tests.store.models import Customer, Order

paid = Signal(name="tests.trouble.paid")


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


#: Of the `database` fixture, the servers, and SQLite.
on_servers = pytest.mark.parametrize(
    "database", ["postgres", "mariadb"], indirect=True, ids=["postgresql", "mariadb"]
)
on_sqlite = pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])


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


# ----------------------------------------------------------------------------- it is stopped


@on_servers
def test_worker_outlives_a_restart_of_its_database(database: str, on: Any) -> None:
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
def test_immediate_stop_of_the_database_in_a_receiver_loses_nothing(
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


# -------------------------------------------------------------------------------------- locks


def lock(alias: str, pk: int) -> None:
    Customer.objects.using(alias).select_for_update().get(pk=pk)


@on_servers
def test_row_that_somebody_has_locked_is_passed_over(database: str, on: Any) -> None:
    on(paid, durable="tests.locked", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    send(database, 1, 2)
    with transaction.atomic(using=database):
        locked = Delivery.objects.using(database).select_for_update().order_by("id").first()
        assert locked is not None
        thread = threading.Thread(target=work_and_close, args=(database,))
        thread.start()
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert [row.pk for row in Delivery.objects.using(database)] == [locked.pk]
    assert effects(database) == [2]


def work_and_close(alias: str) -> None:
    work_once(alias)
    connections.close_all()


@on_servers
def test_lock_timeout_in_a_receiver_is_its_failure(database: str, on: Any) -> None:
    pk = Customer.objects.using(database).create(name="held").pk
    held = [True]

    @on(paid, durable="tests.waits", using=database, atomic=True, backoff=0)
    def receive(number: int, **kwargs: Any) -> None:
        with connections[database].cursor() as cursor:
            if connections[database].vendor == "postgresql":
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
            else:
                cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        try:
            lock(database, pk)
        finally:
            held.clear()
        affect(database, number)

    send(database, 1)
    with working(database):
        with transaction.atomic(using=database):
            lock(database, pk)
            until(lambda: not held)
        until(lambda: not rows(database))
    assert effects(database) == [1]


@on_sqlite
def test_sqlite_busy_storm_loses_nothing(
    database: str, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without patience: whoever meets another's write fails at once.
    options = {**connections[database].settings_dict["OPTIONS"], "timeout": 0}
    monkeypatch.setitem(connections.settings[database], "OPTIONS", options)
    on(paid, durable="tests.busy", using=database, atomic=True, backoff=0, max_attempts=1000)(
        lambda number, **kwargs: affect(database, number)
    )
    send(database, *range(40))
    over = threading.Event()
    busy: list[int] = []

    def storm() -> None:
        connection: Any = connections[database]
        while not over.is_set():
            try:
                with transaction.atomic(using=database):
                    Order.objects.using(database).create(total=-1)
                    over.wait(0.002)
            except OperationalError:
                busy.append(1)
            over.wait(0.005)
        connection.close()

    threads = [threading.Thread(target=storm) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        with working(database):
            until(lambda: not rows(database))
            over.set()
    finally:
        over.set()
        for thread in threads:
            thread.join(DEADLINE)
    assert busy
    assert sorted(number for number in effects(database) if number >= 0) == list(range(40))


# ----------------------------------------------------------------------------------- a full disk


def test_disk_full_in_a_receiver_is_its_failure_until_there_is_room(database: str, on: Any) -> None:
    full = [True]

    @on(paid, durable="tests.full", using=database, atomic=True, backoff=0)
    def receive(number: int, **kwargs: Any) -> None:
        if not full:
            affect(database, number)
            return
        full.clear()
        with no_room(database):
            for _ in range(1000):  # until the room is used that others have left
                Order.objects.using(database).create(details={"long": "x" * 400_000})

    send(database, 1)
    with working(database) as worker:
        until(lambda: not rows(database))
    assert (worker.stats.done, worker.stats.retried) == (1, 1)
    assert effects(database) == [1]


@contextlib.contextmanager
def no_room(alias: str) -> Iterator[None]:
    """Have the disk full: SQLite's for real, that of a server by an error that is raised."""
    connection = connections[alias]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA page_count")
            (pages,) = cursor.fetchone()
            cursor.execute(f"PRAGMA max_page_count = {pages}")
            try:
                yield
            finally:
                cursor.execute("PRAGMA max_page_count = 1073741823")
        return

    def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT"):
            raise OperationalError("could not extend file: No space left on device")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        yield


# ------------------------------------------------------------------------------------- migrations


def test_migration_on_a_full_table_while_workers_run_loses_nothing(database: str, on: Any) -> None:
    on(paid, durable="tests.migrated", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    send(database, *range(300))
    table = Delivery._meta.db_table
    with working(database), connections[database].cursor() as cursor:
        until(lambda: effects(database))
        cursor.execute(f"ALTER TABLE {table} ADD COLUMN added_by_a_migration integer NULL")
        send(database, 300)
        cursor.execute(f"ALTER TABLE {table} DROP COLUMN added_by_a_migration")
        send(database, 301)
        until(lambda: not rows(database))
    assert sorted(effects(database)) == list(range(302))
