"""``timeout=``: a run that takes too long is stopped, and nothing else is."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction

from signalpost import Signal
from signalpost.delivery.limits import Limits
from signalpost.django.models import Delivery
from signalpost.exceptions import DeliveryTimeout
from tests.durable.workers import DEADLINE, affect, claim, effects, run, work_once

paid = Signal(name="tests.timeouts.paid")
LATE = DeliveryTimeout("too late")


def late() -> BaseException:
    return LATE


@pytest.fixture
def limits() -> Iterator[Limits]:
    made = Limits()
    yield made
    made.close()


def run_on() -> None:
    """What is only ever stopped from outside, between two bytecodes."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        pass


def test_call_that_takes_too_long_is_stopped(limits: Limits) -> None:
    with pytest.raises(DeliveryTimeout) as caught:
        limits.run(run_on, 0.01, late)
    assert caught.value is LATE


def test_call_that_is_through_in_time_is_left_alone(limits: Limits) -> None:
    done: list[int] = []
    limits.run(lambda: done.append(1), DEADLINE, late)
    assert done == [1]


def test_error_of_a_call_is_its_own(limits: Limits) -> None:
    with pytest.raises(ZeroDivisionError):
        limits.run(lambda: 1 / 0, DEADLINE, late)


def test_shorter_limit_is_kept_while_a_longer_one_is_watched(limits: Limits) -> None:
    release = threading.Event()
    other = threading.Thread(target=lambda: limits.run(release.wait, DEADLINE, late))
    other.start()
    with pytest.raises(DeliveryTimeout):
        limits.run(run_on, 0.01, late)
    release.set()
    other.join(DEADLINE)
    assert not other.is_alive()


def test_call_that_swallows_the_stop_goes_on_to_its_end(limits: Limits) -> None:
    swallowed: list[str] = []

    def stubborn() -> None:
        try:
            run_on()
        except BaseException as error:
            swallowed.append(type(error).__name__)

    limits.run(stubborn, 0.01, late)
    assert swallowed == ["_Stopped"]


def test_stop_never_comes_after_its_call(limits: Limits) -> None:
    """Calls that end just when their time does: each is stopped in itself, or not at all."""
    outcomes = {True: 0, False: 0}
    for turn in range(300):
        length = 0.0005 + 0.000_01 * (turn % 40)

        def call(length: float = length) -> None:
            end = time.monotonic() + length
            while time.monotonic() < end:
                pass

        try:
            limits.run(call, 0.0007, late)
            outcomes[True] += 1
        except DeliveryTimeout:
            outcomes[False] += 1
        # Bytecodes in plenty, for one that comes late.
        sum(number for number in range(200))
    assert sum(outcomes.values()) == 300


def test_stops_of_many_threads_meet_only_their_own(limits: Limits) -> None:
    outcomes: list[str] = []

    def calls(slow: bool) -> None:
        for _ in range(20):
            try:
                limits.run(run_on if slow else int, 0.005 if slow else DEADLINE, late)
                outcomes.append("through")
            except DeliveryTimeout:
                outcomes.append("stopped")

    threads = [threading.Thread(target=calls, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert sorted(outcomes) == ["stopped"] * 40 + ["through"] * 40


def test_limits_keep_nothing_of_the_calls_that_are_through(limits: Limits) -> None:
    for _ in range(1000):
        limits.run(int, DEADLINE, late)
    assert len(limits._runs) == 1  # of a thread, its last


# ----------------------------------------------------------------------------------- receivers


def spin(alias: str) -> None:
    """Ask the database for ever."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchall()


@pytest.mark.parametrize("atomic", [True, False])
def test_receiver_that_is_stopped_inside_a_transaction_leaves_nothing(
    database: str, on: Any, atomic: bool
) -> None:
    @on(paid, durable="tests.spins", using=database, atomic=atomic, timeout=0.05)
    def receive(number: int, **kwargs: Any) -> None:
        with transaction.atomic(using=database):
            affect(database, number)
            if number == 1:
                spin(database)

    for number in range(3):
        paid.send(None, number=number)
    worker = work_once(database)
    assert (worker.stats.done, worker.stats.retried) == (2, 1)
    assert effects(database) == [0, 2]
    [row] = Delivery.objects.using(database)
    assert row.last_error.startswith(
        "signalpost.exceptions.DeliveryTimeout: It ran longer than its timeout of 0.05 s."
    )


def test_async_receiver_that_takes_too_long_is_cancelled(database: str, on: Any) -> None:
    cancelled: list[bool] = []

    @on(paid, durable="tests.sleeps", using=database, timeout=0.01)
    async def receive(**kwargs: Any) -> None:
        try:
            await asyncio.sleep(DEADLINE)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    paid.send(None, number=1)
    run(database, claim(database))
    [row] = Delivery.objects.using(database)
    assert (cancelled, row.state) == ([True], "ready")
    assert "It ran longer than its timeout of 0.01 s." in row.last_error


def test_timeout_error_of_an_async_receiver_is_its_own(database: str, on: Any) -> None:
    @on(paid, durable="tests.times_out", using=database, timeout=DEADLINE)
    async def receive(**kwargs: Any) -> None:
        raise TimeoutError("the other side")

    paid.send(None, number=1)
    run(database, claim(database))
    [row] = Delivery.objects.using(database)
    assert row.last_error.startswith("TimeoutError: the other side")
