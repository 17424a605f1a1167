"""Async receivers: awaited together on one loop, each in a context of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction

from signalpost import Signal, current_context, signal_context
from tests.durable.workers import (
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

paid = Signal(name="tests.awaited.paid")


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


def test_async_receivers_are_awaited_together(database: str, on: Any) -> None:
    met = 0
    all_here = asyncio.Event()

    @on(paid, durable="tests.meets", using=database)
    async def receive(**kwargs: Any) -> None:
        nonlocal met
        met += 1
        if met == 5:
            all_here.set()
        await all_here.wait()

    send(database, *range(5))
    run(database, claim(database))
    assert (met, rows(database)) == (5, [])


def test_async_receivers_of_one_key_follow_each_other(database: str, on: Any) -> None:
    seen: list[tuple[str, int]] = []

    @on(paid, durable="tests.follows", using=database, key=lambda number, **kwargs: number % 2)
    async def receive(number: int, **kwargs: Any) -> None:
        seen.append(("begins", number))
        await asyncio.sleep(0)
        seen.append(("ends", number))

    send(database, *range(6))
    work_once(database)
    assert rows(database) == []
    for key in (0, 1):
        assert [each for each in seen if each[1] % 2 == key] == [
            (what, number) for number in range(key, 6, 2) for what in ("begins", "ends")
        ]


def test_async_keyed_failure_blocks_those_after_it(database: str, on: Any) -> None:
    seen: list[int] = []

    @on(paid, durable="tests.blocks", using=database, key=lambda **kwargs: "one")
    async def receive(number: int, **kwargs: Any) -> None:
        seen.append(number)
        if number == 1:
            raise ValueError

    send(database, 0, 1, 2)
    run(database, claim(database, keyed=True))
    assert not claim(database, keyed=True).owed
    assert (seen, states(database)) == ([0, 1], ["ready", "blocked"])


def test_each_async_receiver_has_a_context_of_its_own(database: str, on: Any) -> None:
    mark: contextvars.ContextVar[int] = contextvars.ContextVar("mark", default=0)
    seen: list[tuple[int, Any]] = []

    @on(paid, durable="tests.marks", using=database)
    async def receive(number: int, **kwargs: Any) -> None:
        before = mark.get()
        mark.set(number)
        await asyncio.sleep(0)
        assert mark.get() == number
        seen.append((before, current_context()["actor"]))

    for number in (1, 2, 3):
        with signal_context(actor=number):
            paid.send(None, number=number)
    run(database, claim(database))
    assert sorted(seen) == [(0, 1), (0, 2), (0, 3)]


def test_database_work_of_async_receivers_outlives_a_lost_connection(
    database: str, on: Any
) -> None:
    losing = [True]

    def work(number: int) -> None:
        affect(database, number)
        if losing:
            losing.clear()
            connections[database].connection.close()  # as a server does that is restarted
            affect(database, -1)

    @on(paid, durable="tests.loses", using=database, backoff=0)
    async def receive(number: int, **kwargs: Any) -> None:
        await sync_to_async(work)(number)

    send(database, 1, 2, 3)
    with working(database):
        until(lambda: not rows(database))
    assert set(effects(database)) == {1, 2, 3}


def test_async_receivers_of_all_threads_share_one_loop(database: str, on: Any) -> None:
    loops: set[int] = set()

    @on(paid, durable="tests.loop", using=database)
    async def receive(**kwargs: Any) -> None:
        loops.add(id(asyncio.get_running_loop()))

    send(database, *range(30))
    work_once(database, concurrency=3, batch=5)
    assert (len(loops), rows(database)) == (1, [])


def test_async_receiver_that_hangs_keeps_no_other_unsettled(database: str, on: Any) -> None:
    loop: list[asyncio.AbstractEventLoop] = []
    release = asyncio.Event()

    @on(paid, durable="tests.hangs", using=database)
    async def receive(number: int, **kwargs: Any) -> None:
        if number == 1:
            loop.append(asyncio.get_running_loop())
            await release.wait()

    send(database, 0, 1, 2)
    with working(database):
        until(lambda: rows(database) == [("claimed", 1)])
        loop[0].call_soon_threadsafe(release.set)
        until(lambda: not rows(database))


@pytest.mark.parametrize("what", ["all tasks", "itself", "the loop"])
def test_async_receiver_that_cancels_more_than_its_own_harms_no_other(
    database: str, on: Any, what: str
) -> None:
    harm = [True]

    @on(paid, durable="tests.harms", using=database, backoff=0)
    async def receive(number: int, **kwargs: Any) -> None:
        if number == 1 and harm:
            harm.clear()
            loop = asyncio.get_running_loop()
            if what == "the loop":
                loop.stop()
            for task in asyncio.all_tasks() if what == "all tasks" else [asyncio.current_task()]:
                assert task is not None
                task.cancel()
        await asyncio.sleep(0)
        await sync_to_async(affect)(database, number)

    send(database, 0, 1, 2)
    with working(database):
        until(lambda: not rows(database))
    assert set(effects(database)) == {0, 1, 2}


def test_task_that_an_async_receiver_leaves_running_is_cancelled_at_the_end(
    database: str, on: Any
) -> None:
    ended = threading.Event()
    kept: list[Any] = []

    async def linger() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    @on(paid, durable="tests.lingers", using=database)
    async def receive(**kwargs: Any) -> None:
        kept.append(asyncio.create_task(linger()))
        await asyncio.sleep(0)

    send(database, 1)
    work_once(database)
    assert ended.is_set()
    assert rows(database) == []
