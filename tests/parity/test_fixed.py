"""What Django gets wrong about sends and senders, and ours gets right."""

from __future__ import annotations

import asyncio
import functools
import warnings
from typing import Any

from tests.parity.compare import differs
from tests.parity.dispatchers import DJANGO, EVERY, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, answers, described, logged, raised_builtin

CACHING = tuple(d for d in EVERY if d.caching)


def fail(**named: Any) -> None:
    raise ValueError("no")


class Failing:
    def __call__(self, **named: Any) -> None:
        raise ValueError("no")


class AsyncFailing:
    """Marked, so that Django awaits it."""

    async def __call__(self, **named: Any) -> None:
        raise ValueError("no")


@differs(
    django=["AttributeError", "AttributeError"],
    ours=[
        ["ValueError('no')", "called"],
        ["ValueError('no')", "called"],
    ],
)
def test_failing_receiver_without_a_qualified_name_is_collected_by_send_robust(
    d: Dispatcher,
) -> Any:
    outcome = []
    for failing in (functools.partial(fail), Failing()):
        signal = d.make()
        signal.connect(failing)
        other = lambda **named: "called"  # noqa: E731
        signal.connect(other)
        with logged() as records:
            try:
                outcome.append(answers(d.send_robust(signal, ANYONE)))
            except AttributeError:
                outcome.append("AttributeError")
            else:
                [text] = {record.getMessage() for record in records}
                assert text.startswith("Error calling ")
                assert text.endswith(" in Signal.send_robust() (no)")
                assert {record.levelname for record in records} == {"ERROR"}
                assert {repr(r.exc_info and r.exc_info[1]) for r in records} == {"ValueError('no')"}
    return outcome


@differs(
    django=["AttributeError"] * 4,
    ours=[["ValueError('no')"]] * 4,
)
def test_failing_receiver_without_a_qualified_name_is_collected_by_asend_robust(
    d: Dispatcher,
) -> Any:
    async def later(**named: Any) -> None:
        raise ValueError("no")

    from asgiref.sync import markcoroutinefunction

    outcome = []
    marked = AsyncFailing()
    markcoroutinefunction(marked)
    for failing in (functools.partial(fail), Failing(), functools.partial(later), marked):
        signal = d.make()
        signal.connect(failing)
        with logged() as records:
            try:
                outcome.append(answers(asyncio.run(signal.asend_robust(ANYONE))))
            except AttributeError:
                outcome.append("AttributeError")
            else:
                assert len(records) == 1
    return outcome


@differs(
    django=["Error calling %s in Signal.send_robust() (%s)"] * 2,
    ours=["Error calling %s in Signal.asend_robust() (%s)"] * 2,
)
def test_asend_robust_is_named_in_its_log(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [
        calls.receiver("sync", raises=ValueError("no")),
        calls.async_receiver("async", raises=ValueError("no")),
    ]
    for receiver in kept:
        signal.connect(receiver)
    with logged() as records:
        asyncio.run(signal.asend_robust(ANYONE))
    return [message for _, _, message, *_ in described(records)]


@differs(django="a coroutine that nobody awaits", ours="awaited")
def test_object_with_an_async_call_is_awaited(d: Dispatcher) -> Any:
    class Later:
        async def __call__(self, **named: Any) -> str:
            return "awaited"

    signal = d.make()
    later = Later()
    signal.connect(later)
    outcome = set()
    for send in (signal.send, signal.send_robust):
        [(_, response)] = send(ANYONE)
        outcome.add(response if isinstance(response, str) else response.close())
    for send in (signal.asend, signal.asend_robust):
        [(_, response)] = asyncio.run(send(ANYONE))
        outcome.add(response if isinstance(response, str) else response.close())
    return outcome.pop() or "a coroutine that nobody awaits"


@differs(
    django={
        (5, 2): ["CancelledError"] * 4,
        (6, 0): ["CancelledError"] * 4,
        (6, 1): [[None, "other"]] * 4,
    },
    ours=["CancelledError"] * 4,
)
def test_cancelled_error_of_a_receiver_is_not_swallowed(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [
        calls.async_receiver("cancelled", raises=asyncio.CancelledError()),
        calls.async_receiver("other"),
    ]
    for receiver in kept:
        signal.connect(receiver)

    def attempt(call: Any) -> Any:
        try:
            return [answer and answer.split()[0] for answer in answers(call())]
        except asyncio.CancelledError:
            return "CancelledError"

    return [
        attempt(lambda: signal.send(ANYONE)),
        attempt(lambda: signal.send_robust(ANYONE)),
        attempt(lambda: asyncio.run(signal.asend(ANYONE))),
        attempt(lambda: asyncio.run(signal.asend_robust(ANYONE))),
    ]


@differs(
    django=[("RuntimeError", ["sync"]), ("RuntimeError", ["sync"])],
    ours=[("RuntimeError", []), ("RuntimeError", [])],
)
def test_send_inside_a_running_loop_is_refused_before_any_receiver_ran(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.receiver("sync"), calls.async_receiver("async")]
    for receiver in kept:
        signal.connect(receiver)

    async def main() -> Any:
        outcome = []
        for send in (signal.send, signal.send_robust):
            with warnings.catch_warnings():
                # Django has made the coroutine by then, and drops it.
                warnings.simplefilter("ignore", RuntimeWarning)
                outcome.append((raised_builtin(lambda send=send: send(ANYONE)), calls.names()))
        return outcome

    return asyncio.run(main())


@differs(
    django=[["sync"], ["sync"]],
    ours=[["sync"], ["sync"]],
)
def test_send_of_sync_receivers_inside_a_running_loop_works(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver, elsewhere = calls.receiver("sync"), calls.async_receiver("for another sender")
    signal.connect(receiver)
    signal.connect(elsewhere, sender=Sender)

    async def main() -> Any:
        outcome = []
        for send in (signal.send, signal.send_robust):
            send(ANYONE)
            outcome.append(calls.names())
        return outcome

    return asyncio.run(main())


def test_these_versions_of_django_are_known() -> None:
    # A new Django needs its outcomes looked up in the tests above.
    assert DJANGO in {(5, 2), (6, 0), (6, 1)}
