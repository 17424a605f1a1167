"""Async receivers and async sends, in all that every supported Django does alike."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

from asgiref.sync import sync_to_async

from tests.parity.compare import parity
from tests.parity.dispatchers import PLAIN, Dispatcher
from tests.parity.observe import ANYONE, Calls, answers, connected_in_turn, raised, raised_builtin


@parity()
def test_asend_returns_sync_responses_then_async_ones(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = connected_in_turn(signal, calls)
    outcome = []
    for send in (signal.asend, signal.asend_robust):
        responses = asyncio.run(send(ANYONE, a=1))
        pairs = [(kept.index(receiver), answer) for receiver, answer in responses]
        outcome.append((type(responses), {isinstance(pair, tuple) for pair in responses}, pairs))
        outcome.append(sorted(calls, key=str))
        calls.clear()
    return outcome


@parity()
def test_async_sends_are_coroutine_functions(d: Dispatcher) -> Any:
    signal = d.make()
    return [
        inspect.iscoroutinefunction(signal.asend),
        inspect.iscoroutinefunction(signal.asend_robust),
        raised_builtin(signal.asend),
    ]


@parity()
def test_asend_without_receivers_awaits_nothing(d: Dispatcher) -> Any:
    signal = d.make()
    outcome = []
    for send in (signal.asend, signal.asend_robust):
        try:
            send(ANYONE, a=1).send(None)
        except StopIteration as done:
            outcome.append(done.value)
    return outcome


@parity()
def test_asend_begins_when_it_is_awaited(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.async_receiver("r")
    sending = signal.asend(ANYONE)
    signal.connect(receiver)
    return len(asyncio.run(sending))


@parity()
def test_receiver_gets_signal_and_sender(d: Dispatcher) -> Any:
    signal = d.make()
    got = []

    async def receive(**named: Any) -> None:
        got.append((named["signal"] is signal, named["sender"] is ANYONE, list(named)))

    signal.connect(receive)
    signal.send(ANYONE, b=1, a=2)
    signal.send_robust(sender=ANYONE, b=1, a=2)
    asyncio.run(signal.asend(ANYONE, b=1, a=2))
    asyncio.run(signal.asend_robust(b=1, sender=ANYONE, a=2))
    return got


@parity(PLAIN)
def test_asend_from_none(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.async_receiver("any"), calls.async_receiver("one")]
    signal.connect(kept[0])
    signal.connect(kept[1], sender=ANYONE)
    return answers(asyncio.run(signal.asend(None))), answers(signal.send(None))


@parity()
def test_async_receivers_run_at_the_same_time_in_one_loop(d: Dispatcher) -> Any:
    signal = d.make()
    meeting: dict[str, Any] = {}

    async def arrive(name: str) -> int:
        loop = asyncio.get_running_loop()
        event = meeting.setdefault("event", asyncio.Event())
        meeting.setdefault("names", []).append(name)
        if len(meeting["names"]) == 3:
            event.set()
        await asyncio.wait_for(event.wait(), 10)
        meeting.setdefault("loops", set()).add(id(loop))
        return len(meeting["loops"])

    async def one(**named: Any) -> int:
        return await arrive("one")

    async def two(**named: Any) -> int:
        return await arrive("two")

    async def three(**named: Any) -> int:
        return await arrive("three")

    for receiver in (one, two, three):
        signal.connect(receiver)
    outcome = []
    for send in (signal.send, signal.send_robust):
        outcome.append((answers(send(ANYONE)), meeting.pop("names"), len(meeting.pop("loops"))))
        meeting.clear()
    for send in (signal.asend, signal.asend_robust):
        outcome.append(
            (answers(asyncio.run(send(ANYONE))), meeting.pop("names"), len(meeting.pop("loops")))
        )
        meeting.clear()
    return outcome


@parity()
def test_sync_receivers_share_the_thread_of_sync_to_async(d: Dispatcher) -> Any:
    signal = d.make()

    def first(**named: Any) -> int:
        return threading.get_ident()

    def second(**named: Any) -> int:
        return threading.get_ident()

    signal.connect(first)
    signal.connect(second)

    async def main() -> Any:
        here = threading.get_ident()
        sensitive = await sync_to_async(threading.get_ident)()
        outcome = []
        for send in (signal.asend, signal.asend_robust):
            threads = [thread for _, thread in await send(ANYONE)]
            outcome.append((threads == [sensitive] * 2, here in threads))
        return outcome

    return asyncio.run(main())


@parity()
def test_sync_receivers_of_asend_see_no_running_loop(d: Dispatcher) -> Any:
    signal = d.make()

    def receive(**named: Any) -> Any:
        return raised(asyncio.get_running_loop)

    signal.connect(receive)
    return answers(asyncio.run(signal.asend(ANYONE)))


@parity()
def test_sync_receiver_of_asend_may_send_to_async_ones(d: Dispatcher) -> Any:
    outer, inner = d.make(), d.make()
    loops = []

    async def innermost(**named: Any) -> str:
        loops.append(asyncio.get_running_loop())
        return "innermost"

    def relay(**named: Any) -> Any:
        return answers(inner.send(ANYONE))

    outer.connect(relay)
    inner.connect(innermost)

    async def main() -> Any:
        responses = await outer.asend(ANYONE)
        return answers(responses), [loop is asyncio.get_running_loop() for loop in loops]

    return asyncio.run(main())


@parity()
def test_send_inside_sync_to_async_uses_the_outer_loop(d: Dispatcher) -> Any:
    signal = d.make()

    async def receive(**named: Any) -> Any:
        return asyncio.get_running_loop()

    signal.connect(receive)

    async def main() -> Any:
        outcome = []
        for send in (signal.send, signal.send_robust):
            [(_, loop)] = await sync_to_async(send)(ANYONE)
            outcome.append(loop is asyncio.get_running_loop())
        return outcome

    return asyncio.run(main())


@parity()
def test_async_receiver_may_asend_again(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    leaf = calls.async_receiver("leaf")

    async def branch(signal: Any, sender: Any, depth: int, **named: Any) -> Any:
        if depth == 0:
            return "end"
        return answers(await signal.asend(sender, depth=depth - 1))

    signal.connect(branch)
    signal.connect(leaf)
    return answers(asyncio.run(signal.asend(ANYONE, depth=3))), len(calls)
