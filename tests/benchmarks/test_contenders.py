"""Every contender does what its column says: a benchmark of sends that reach nobody is worthless."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from benchmarks.contenders import AsyncStatement, Batch, Growth, Statement
from benchmarks.peers import everyone
from benchmarks.receivers import receivers

CONTENDERS = [
    "hand",
    "signalpost",
    "Django",
    "Django caching",
    "blinker",
    "psygnal",
    "pluggy",
]


@pytest.mark.parametrize("name", CONTENDERS)
def test_each_contender_calls_each_receiver_once_a_send(name):
    calls: Counter[int] = Counter()

    def recorders():
        def recorder(at):
            def on_comment(sender, comment, **kwargs):
                calls[at] += 1

            return on_comment

        return [recorder(at) for at in range(3)]

    contenders = everyone(recorders)
    assert list(contenders) == CONTENDERS

    contenders[name].sample()

    assert calls == {0: 1, 1: 1, 2: 1}


@pytest.mark.parametrize("shape", ["functions", "methods", "named"])
def test_receivers_are_distinct(shape):
    made = receivers(10, shape)

    assert len({id(getattr(receiver, "__self__", receiver)) for receiver in made}) == 10


def test_statement_runs_as_often_as_fills_a_sample():
    calls = []
    statement = Statement("call(None)", call=calls.append)

    statement.warm_up(sample_ns=20_000)
    calls.clear()

    assert statement.sample() > 0
    assert len(calls) > 1


def test_async_statement_awaits_in_one_event_loop():
    loops = set()

    async def receiver():
        loops.add(asyncio.get_running_loop())

    with asyncio.Runner() as runner:
        statement = AsyncStatement(runner, "await receiver()", receiver=receiver)
        assert statement.sample() > 0
        statement.sample()

    assert len(loops) == 1


def test_batch_is_undone_after_each_pass():
    items, seen = [], []

    def connect(item):
        items.append(item)
        seen.append(len(items))

    batch = Batch("connect(item)", items=[1, 2], undo=items.remove, passes=3, connect=connect)

    assert batch.sample() > 0
    assert items == []
    assert seen == [1, 2] * 3


def test_growth_starts_anew_for_each_of_the_three_runs_of_a_sample():
    states = []

    def make():
        states.append([])
        return {"state": states[-1]}

    growth = Growth("state.append(item)", items=[1, 2, 3], make=make)
    growth.sample()
    growth.sample()

    assert states == [[1, 2, 3]] * 6


def test_growth_counts_the_fastest_run_of_each_thousand():
    growth = Growth("count", items=list(range(2_000)), make=lambda: {"count": 0})
    runs = iter([[10, 70], [90, 20], [30, 30]])
    growth._grow = lambda: next(runs)  # type: ignore[method-assign]

    assert growth.sample() == (10 + 20) / 2_000
