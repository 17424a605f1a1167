"""Rows that others have locked, and on SQLite the database: it is tried again, and nothing is lost."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction

from signalpost import Signal
from signalpost.django.models import Delivery, Slot
from tests.durable.workers import DEADLINE, affect, effects, rows, until, work_once, working
from tests.store.models import Customer

paid = Signal(name="tests.locks.paid")

#: Of the `database` fixture, the servers, and SQLite.
on_servers = pytest.mark.parametrize(
    "database", ["postgres", "mariadb"], indirect=True, ids=["postgresql", "mariadb"]
)
on_sqlite = pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])

#: What makes a connection fail soon that waits for a lock. MariaDB counts in seconds.
IMPATIENCE = {
    "file": {"timeout": 0.05},
    "postgres": {"options": "-c lock_timeout=50ms"},
    "mariadb": {"init_command": "SET SESSION innodb_lock_wait_timeout = 1"},
}


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


def lock(alias: str, pk: int) -> None:
    Customer.objects.using(alias).select_for_update().get(pk=pk)


def be_impatient(alias: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """Have connections that are opened from now on fail soon where they wait for a lock."""
    before = connections[alias].settings_dict.get("OPTIONS", {})
    options = {**before, **IMPATIENCE[alias], **options}
    monkeypatch.setitem(connections.settings[alias], "OPTIONS", options)


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
def test_lock_timeout_in_a_receiver_is_its_failure(
    database: str, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = Customer.objects.using(database).create(name="held").pk
    be_impatient(database, monkeypatch)
    locked, errors = threading.Event(), []

    @on(paid, durable="tests.waits", using=database, atomic=True, backoff=0, max_attempts=1000)
    def receive(number: int, **kwargs: Any) -> None:
        assert locked.wait(DEADLINE)
        try:
            lock(database, pk)
        except OperationalError as error:
            errors.append(error)
            raise
        affect(database, number)

    send(database, 1)
    with working(database) as worker:
        with transaction.atomic(using=database):
            lock(database, pk)
            locked.set()
            until(lambda: errors)
        until(lambda: not rows(database))
    assert worker.stats.retried == len(errors)
    assert effects(database) == [1]


def test_lock_timeout_in_settling_runs_no_receiver_again(
    database: str, on: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    be_impatient(database, monkeypatch)
    have_run, locked = threading.Event(), threading.Event()
    on(paid, durable="tests.settles", using=database)(
        lambda number, **kwargs: affect(database, number)
    )

    def step(name: str) -> None:
        if name == "before settle":
            have_run.set()
            assert locked.wait(DEADLINE)

    send(database, 1, 2, 3)
    with working(database, step=step):
        assert have_run.wait(DEADLINE)
        with transaction.atomic(using=database):
            assert len(Delivery.objects.using(database).select_for_update()) == 3
            locked.set()
            until(lambda: any("Cannot settle 3" in message for message in caplog.messages))
        until(lambda: not rows(database))
    assert effects(database) == [1, 2, 3]


def test_lock_timeout_in_renewing_is_tried_again(
    database: str, on: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    be_impatient(database, monkeypatch)
    running, may_end, jump = threading.Event(), threading.Event(), [0.0]

    @on(paid, durable="tests.renews", using=database, key="number")
    def receive(number: int, **kwargs: Any) -> None:
        running.set()
        assert may_end.wait(DEADLINE)
        affect(database, number)

    def lease_until() -> Any:
        return Delivery.objects.using(database).values_list("lease_until", flat=True).get()

    send(database, 1)
    with working(database, clock=lambda: time.monotonic() + jump[0]):
        assert running.wait(DEADLINE)
        before = lease_until()
        with transaction.atomic(using=database):
            assert list(Slot.objects.using(database).select_for_update())
            jump[0] = 25.0  # more than a third of the lease
            until(lambda: any("Cannot renew leases" in message for message in caplog.messages))
            assert lease_until() == before
        until(lambda: lease_until() > before)
        may_end.set()
        until(lambda: not rows(database))
    assert effects(database) == [1]


@on_sqlite
def test_sqlite_busy_storm_loses_nothing(
    database: str, on: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Senders and workers, none of which has any patience, all on connections of their own."""
    be_impatient(database, monkeypatch, timeout=0)
    outside: list[tuple[int, int]] = []
    busy: list[int] = []

    @on(paid, durable="tests.inside", using=database, atomic=True, backoff=0, max_attempts=1000)
    def inside(number: int, **kwargs: Any) -> None:
        affect(database, number)

    @on(paid, durable="tests.outside", using=database)
    def outside_of_it(number: int, delivery: Any, **kwargs: Any) -> None:
        outside.append((number, delivery.attempt))

    def sell(first: int) -> None:
        for number in range(first, first + 40):
            while not sold(number):
                busy.append(number)
                time.sleep(0.001)
        connections.close_all()

    def sold(number: int) -> bool:
        try:
            with transaction.atomic(using=database):
                Customer.objects.using(database).create(name=f"{number}")
                paid.send(None, number=number)
        except OperationalError:
            return False
        return True

    assert sold(0)
    senders = [threading.Thread(target=sell, args=(first,)) for first in (1, 41, 81)]
    with contextlib.ExitStack() as stack:
        with transaction.atomic(using=database):  # nobody gets in
            for _ in range(2):
                stack.enter_context(working(database))
            for sender in senders:
                sender.start()
            until(lambda: {1, 41, 81} <= set(busy))
            until(lambda: trouble(caplog))
        for sender in senders:
            sender.join(DEADLINE)
            assert not sender.is_alive()
        until(lambda: not rows(database))
    assert Customer.objects.using(database).count() == 121
    assert sorted(effects(database)) == list(range(121))
    # What it ran is settled, however often that is tried.
    assert Counter(outside) == {(number, 1): 1 for number in range(121)}


def trouble(caplog: pytest.LogCaptureFixture) -> bool:
    return any(
        "Trouble with the database" in message and "is locked" in message
        for message in caplog.messages
    )
