"""Async receivers that fail or are cancelled, and the context that they see."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from tests.parity.compare import parity
from tests.parity.dispatchers import Dispatcher
from tests.parity.observe import ANYONE, Calls, answers, described, logged, raised


@parity()
def test_sync_exception_of_asend_is_raised(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    error = ValueError("no")
    kept = [calls.receiver("first", raises=error), calls.receiver("second")]
    for receiver in kept:
        signal.connect(receiver)
    return raised(lambda: asyncio.run(signal.asend(ANYONE))), calls.names()


@parity()
def test_stop_iteration_in_an_async_receiver(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().async_receiver("failing", raises=StopIteration("stop"))
    signal.connect(receiver)
    with logged():
        return [
            raised(lambda: signal.send(ANYONE)),
            raised(lambda: asyncio.run(signal.asend(ANYONE))),
            answers(signal.send_robust(ANYONE)),
            answers(asyncio.run(signal.asend_robust(ANYONE))),
        ]


@parity()
def test_asend_robust_collects_every_failure(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [
        calls.receiver("sync failing", raises=ValueError("no")),
        calls.receiver("sync"),
        calls.async_receiver("async failing", raises=LookupError("gone")),
        calls.async_receiver("async"),
        calls.async_receiver("async failing too", raises=KeyError("k")),
    ]
    for receiver in kept:
        signal.connect(receiver)
    with logged() as records:
        responses = asyncio.run(signal.asend_robust(ANYONE, a=1))
    # Django says `send_robust` here too: see the tests of what we fix.
    logs = [
        (r.levelname, r.name, repr(r.args), repr(r.exc_info and r.exc_info[1])) for r in records
    ]
    return answers(responses), sorted(logs), sorted(calls.names())


@parity()
def test_failures_of_async_receivers_in_send_robust_are_logged(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().async_receiver("failing", raises=LookupError("gone"))
    signal.connect(receiver)
    with logged() as records:
        responses = signal.send_robust(ANYONE)
    return answers(responses), described(records)


@parity()
def test_cancelled_asend_cancels_its_receivers(d: Dispatcher) -> Any:
    signal = d.make()
    seen = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append(name)
            raise

    async def one(**named: Any) -> None:
        await wait("one")

    async def two(**named: Any) -> None:
        await wait("two")

    signal.connect(one)
    signal.connect(two)

    async def main() -> Any:
        outcome = []
        for send in (signal.asend, signal.asend_robust):
            task = asyncio.create_task(send(ANYONE))
            for _ in range(5):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            outcome.append((task.cancelled(), sorted(seen)))
            seen.clear()
        return outcome

    return asyncio.run(main())


@parity()
def test_receivers_see_the_callers_context(d: Dispatcher) -> Any:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user")
    signal = d.make()

    def sync(**named: Any) -> str:
        return user.get("nobody")

    async def later(**named: Any) -> str:
        return user.get("nobody")

    signal.connect(sync)
    signal.connect(later)

    async def main(send: Any) -> Any:
        user.set("in async code")
        return answers(await send(ANYONE))

    def run() -> Any:
        user.set("in sync code")
        outcome = [answers(signal.send(ANYONE)), answers(signal.send_robust(ANYONE))]
        return outcome + [asyncio.run(main(send)) for send in (signal.asend, signal.asend_robust)]

    return contextvars.copy_context().run(run)


@parity()
def test_async_receivers_die_and_disconnect_like_others(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = {name: calls.async_receiver(name) for name in "abc"}
    for receiver in kept.values():
        signal.connect(receiver)
    del receiver
    signal.send(ANYONE)
    del kept["a"]
    signal.disconnect(kept["b"])
    signal.send(ANYONE)
    asyncio.run(signal.asend(ANYONE))
    return calls.names(), signal.has_listeners(ANYONE), len(signal.receivers)
