"""A transaction that the database itself has taken back: its delivery fails alone, and is run again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connections, transaction

from signalpost import Signal
from signalpost.django.models import Delivery
from tests.durable.rows import make_due
from tests.durable.workers import DEADLINE, affect, claim, effects, rows, run, until, working
from tests.store.models import Customer, Order

paid = Signal(name="tests.taken_back.paid")

on_servers = pytest.mark.parametrize(
    "database", ["postgres", "mariadb"], indirect=True, ids=["postgresql", "mariadb"]
)


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


def own_effects(database: str) -> list[int]:
    return [number for number in effects(database) if number != Rival.TOTAL]


def lock(alias: str, pk: int) -> None:
    Customer.objects.using(alias).select_for_update().get(pk=pk)


class Rival:
    """A transaction in another thread that has locked what the receiver wants, and wants what it has."""

    #: The total of the rows that it writes.
    TOTAL = -1
    ROWS = 50

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.ours, self.theirs = (
            Customer.objects.using(alias).create(name=name).pk for name in ("ours", "theirs")
        )
        self._pid: list[int] = []
        self._has_locked, self._may_want = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def meet(self) -> None:
        """Have a deadlock of this transaction with the rival's. The database undoes this one."""
        is_postgresql = connections[self.alias].vendor == "postgresql"
        with connections[self.alias].cursor() as cursor:
            if is_postgresql:  # whoever looks for a deadlock ends itself
                cursor.execute("SET LOCAL deadlock_timeout = '10ms'")
            lock(self.alias, self.ours)
            self._has_locked.clear()
            self._may_want.clear()
            self._threads.append(threading.Thread(target=self._run))
            self._threads[-1].start()
            assert self._has_locked.wait(DEADLINE)
            self._may_want.set()
            if is_postgresql:  # it looks once only, so the other has to wait already

                def waits() -> bool:
                    cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", self._pid)
                    return bool(cursor.fetchone()[0])

                until(waits)
        lock(self.alias, self.theirs)

    def _run(self) -> None:
        try:
            with transaction.atomic(using=self.alias):
                with connections[self.alias].cursor() as cursor:
                    if connections[self.alias].vendor == "postgresql":
                        cursor.execute("SET LOCAL deadlock_timeout = '1min'")
                        cursor.execute("SELECT pg_backend_pid()")
                        self._pid[:] = cursor.fetchone()
                # InnoDB undoes the one that has changed less.
                Order.objects.using(self.alias).bulk_create(
                    Order(total=self.TOTAL) for _ in range(self.ROWS)
                )
                lock(self.alias, self.theirs)
                self._has_locked.set()
                assert self._may_want.wait(DEADLINE)
                lock(self.alias, self.ours)
        finally:
            connections[self.alias].close()

    def end(self) -> None:
        for thread in self._threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()


@pytest.fixture
def rival(database: str) -> Iterator[Rival]:
    made = Rival(database)
    yield made
    made.end()


# --------------------------------------------------------------------------- the receiver is told


@on_servers
def test_receiver_that_is_the_victim_of_a_deadlock_is_run_again(
    database: str, on: Any, rival: Rival
) -> None:
    victims: list[str] = []

    @on(paid, durable="tests.deadlock", using=database, atomic=True, backoff=0)
    def receive(number: int, **kwargs: Any) -> None:
        affect(database, number)
        if number == 1 and not victims:
            try:
                rival.meet()
            except OperationalError as error:
                victims.append(str(error))
                raise

    send(database, 1)
    with working(database) as worker:
        until(lambda: not rows(database))
    rival.end()
    assert [("deadlock" in text.lower()) for text in victims] == [True]
    assert (worker.stats.done, worker.stats.retried) == (1, 1)
    assert sorted(effects(database)) == [Rival.TOTAL] * Rival.ROWS + [1]


# ------------------------------------------------------------------- the receiver swallows the error


def lose_the_transaction(alias: str, rival: Rival) -> None:
    """Have the database undo the transaction that the caller is in."""
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            cursor.execute("SELECT 1 / 0")
        elif connections[alias].vendor == "sqlite":
            cursor.execute(
                "INSERT OR ROLLBACK INTO store_customer (id, name) "
                "SELECT id, name FROM store_customer"
            )
        else:
            rival.meet()


@pytest.mark.parametrize("goes_on", [False, True])
def test_receiver_that_swallows_the_loss_of_its_transaction_fails_alone(
    database: str, on: Any, rival: Rival, goes_on: bool
) -> None:
    @on(paid, durable="tests.swallows", using=database, atomic=True, backoff=0)
    def receive(number: int, delivery: Any, **kwargs: Any) -> None:
        affect(database, number)
        if number == 1 and delivery.attempt == 1:
            with contextlib.suppress(DatabaseError):
                lose_the_transaction(database, rival)
            if goes_on:
                with contextlib.suppress(DatabaseError):
                    affect(database, number)

    send(database, 0, 1, 2)
    run(database, claim(database))
    assert own_effects(database) == [0, 2]
    [row] = Delivery.objects.using(database)
    assert (row.state, row.attempts) == ("ready", 1)
    assert f"It left the transaction on '{database}' broken" in row.last_error
    make_due(database)
    run(database, claim(database))
    assert (own_effects(database), rows(database)) == ([0, 2, 1], [])
