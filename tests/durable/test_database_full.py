"""A disk that is full, SQLite's for real: the worker goes on once there is room, and nothing is lost."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connections, transaction

from signalpost import Signal
from tests.durable.workers import affect, effects, rows, until, working
from tests.store.models import Order

paid = Signal(name="tests.full.paid")
#: How many deliveries: several pages of SQLite's.
MANY = 200


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


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
        if re.search(
            r"\b(INSERT INTO|UPDATE \w+( AS \w+| \w+)? SET|DELETE FROM)", sql.replace('"', "")
        ):
            raise OperationalError("could not extend file: No space left on device")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        yield


def use_room(alias: str) -> None:
    """Leave no room in SQLite's pages, in which something could be written yet."""
    if connections[alias].vendor == "sqlite":
        with connections[alias].cursor() as cursor:
            cursor.execute("VACUUM")


class Full:
    """A store that has no room in one of its calls, until that has failed so often."""

    def __init__(self, alias: str, store: Any, name: str, times: int) -> None:
        self._alias = alias
        self._store = store
        self._name = name
        self.left = times

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        return functools.partial(self._try, call) if name == self._name and self.left else call

    def _try(self, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        with no_room(self._alias):
            try:
                return call(*args, **named)
            except DatabaseError:
                self.left -= 1
                raise


def work_without_room(database: str, call: str, times: int) -> None:
    """A worker's work, until all is settled; in that call there is no room at first."""
    use_room(database)
    with working(database, wrap=lambda store: Full(database, store, call, times)) as worker:
        until(lambda: not rows(database))
    assert worker.store.left == 0, "it wasn't full"  # type: ignore[attr-defined]  # it is the wrapper


@pytest.mark.parametrize("atomic", [True, False])
def test_disk_full_while_claiming_costs_no_attempt(database: str, on: Any, atomic: bool) -> None:
    attempts: list[int] = []

    @on(paid, durable="tests.claims", using=database, atomic=atomic)
    def receive(number: int, delivery: Any, **kwargs: Any) -> None:
        attempts.append(delivery.attempt)
        affect(database, number)

    send(database, *range(MANY))
    work_without_room(database, "claim", 2)
    assert sorted(effects(database)) == list(range(MANY))
    assert attempts == [1] * MANY


def test_disk_full_while_settling_runs_no_receiver_again(
    database: str, on: Any, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[int, int]] = []

    @on(paid, durable="tests.settles", using=database, backoff=0)
    def receive(number: int, delivery: Any, **kwargs: Any) -> None:
        seen.append((number, delivery.attempt))
        if delivery.attempt == 1:
            raise ValueError("x" * 1500)  # which takes room to be kept
        affect(database, number)

    send(database, *range(MANY))
    work_without_room(database, "finish", 2)
    assert sorted(seen) == [(number, attempt) for number in range(MANY) for attempt in (1, 2)]
    assert sorted(effects(database)) == list(range(MANY))
    assert sum("Cannot settle" in message for message in caplog.messages) == 2


@pytest.mark.parametrize(
    # SQLite's settles what has succeeded without any room.
    "database",
    ["postgres", "mariadb"],
    indirect=True,
    ids=["postgresql", "mariadb"],
)
def test_disk_full_while_settling_undoes_what_atomic_receivers_have_done(
    database: str, on: Any
) -> None:
    on(paid, durable="tests.undone", using=database, atomic=True, backoff=0)(
        lambda number, **kwargs: affect(database, number)
    )
    send(database, *range(MANY))
    work_without_room(database, "finish", 2)
    assert sorted(effects(database)) == list(range(MANY))


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
