"""Async sends as Django does them since 6.1: ours does so on every Django."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from tests.parity.compare import since
from tests.parity.dispatchers import Dispatcher
from tests.parity.observe import ANYONE, Calls, raised


def failure(call: Any) -> Any:
    """Type and text of the exception; of a group, those of its parts."""
    try:
        call()
    except ExceptionGroup as group:
        return type(group).__name__, [repr(error) for error in group.exceptions]
    except Exception as error:
        return type(error).__name__, str(error)
    return None


@since(
    (6, 1),
    before=[["async", "sync 1", "sync 2"]] * 2,
    after=[["sync 1", "sync 2", "async"]] * 2,
)
def test_sync_receivers_finish_before_async_ones_start(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.async_receiver("async"), calls.receiver("sync 1"), calls.receiver("sync 2")]
    for receiver in kept:
        signal.connect(receiver)
    outcome = []
    for send in (signal.asend, signal.asend_robust):
        asyncio.run(send(ANYONE))
        outcome.append(calls.names())
    return outcome


@since((6, 1), before=["async", "sync"], after=["sync"])
def test_async_receivers_never_start_once_a_sync_one_failed(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.async_receiver("async"), calls.receiver("sync", raises=ValueError("no"))]
    for receiver in kept:
        signal.connect(receiver)
    assert raised(lambda: asyncio.run(signal.asend(ANYONE))) == ("ValueError", "no")
    return calls.names()


def _with_siblings(d: Dispatcher) -> tuple[Any, list[str], list[Any]]:
    """A signal of which one receiver fails while two others are waiting."""
    signal = d.make()
    seen: list[str] = []

    async def sibling(**named: Any) -> None:
        try:
            for _ in range(5):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        seen.append("finished")

    async def failing(**named: Any) -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def late(**named: Any) -> None:
        await sibling()

    kept = [sibling, failing, late]
    for receiver in kept:
        signal.connect(receiver)
    return signal, seen, kept


@since(
    (6, 1),
    before=[("ValueError", "no"), [], ["finished", "finished"]],
    after=[("ValueError", "no"), ["cancelled", "cancelled"], ["cancelled", "cancelled"]],
)
def test_one_async_failure_of_asend_is_raised_bare_and_cancels_its_siblings(d: Dispatcher) -> Any:
    signal, seen, kept = _with_siblings(d)

    async def main() -> Any:
        try:
            await signal.asend(ANYONE)
        except Exception as error:
            outcome = (type(error).__name__, str(error))
        at_once = list(seen)
        for _ in range(10):
            await asyncio.sleep(0)
        return [outcome, at_once, list(seen)]

    outcome = asyncio.run(main())
    assert len(kept) == 3
    return outcome


@since(
    (6, 1),
    # The loop of async_to_sync ends with the send, so the siblings are cancelled either way: before
    # 6.1 by the end of the loop.
    before=(("ValueError", "no"), ["cancelled", "cancelled"]),
    after=(("ValueError", "no"), ["cancelled", "cancelled"]),
)
def test_one_async_failure_of_send_is_raised_bare_and_cancels_its_siblings(d: Dispatcher) -> Any:
    signal, seen, kept = _with_siblings(d)
    outcome = failure(lambda: signal.send(ANYONE))
    assert len(kept) == 3
    return outcome, seen


@since(
    (6, 1),
    before=[("ValueError", "one")] * 2,
    after=[("ExceptionGroup", ["ValueError('one')", "LookupError('two')"])] * 2,
)
def test_two_async_failures_are_raised_as_a_group(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [
        calls.async_receiver("one", raises=ValueError("one")),
        calls.async_receiver("fine"),
        calls.async_receiver("two", raises=LookupError("two")),
    ]
    for receiver in kept:
        signal.connect(receiver)
    return [
        failure(lambda: signal.send(ANYONE)),
        failure(lambda: asyncio.run(signal.asend(ANYONE))),
    ]


def _setting_receivers(seen: list[str]) -> tuple[contextvars.ContextVar[str], list[Any]]:
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var")

    def sync_first(**named: Any) -> None:
        seen.append(f"sync 1 saw {var.get('nothing')}")
        var.set("sync 1")

    def sync_second(**named: Any) -> None:
        seen.append(f"sync 2 saw {var.get('nothing')}")
        var.set("sync 2")

    async def async_first(**named: Any) -> None:
        seen.append(f"async 1 saw {var.get('nothing')}")
        var.set("async 1")

    async def async_second(**named: Any) -> None:
        await asyncio.sleep(0)
        seen.append(f"async 2 saw {var.get('nothing')}")
        var.set("async 2")

    return var, [sync_first, sync_second, async_first, async_second]


def _visible(d: Dispatcher, wanted: str, *, initial: str | None) -> Any:
    """What the receivers of the wanted kind, and then the caller of each send, find set."""
    outcome = []
    for name in ("send", "send_robust", "asend", "asend_robust"):
        seen: list[str] = []
        var, receivers = _setting_receivers(seen)
        kept = [receiver for receiver in receivers if receiver.__name__.startswith(wanted)]
        signal = d.make()
        for receiver in kept:
            signal.connect(receiver)

        def run() -> None:
            if initial is not None:
                var.set(initial)  # noqa: B023
            send = getattr(signal, name)  # noqa: B023

            async def main() -> None:
                await send(ANYONE)
                seen.append(f"caller saw {var.get('nothing')}")  # noqa: B023

            if name.startswith("a"):  # noqa: B023
                asyncio.run(main())
            else:
                send(ANYONE)
                seen.append(f"caller saw {var.get('nothing')}")  # noqa: B023

        contextvars.copy_context().run(run)
        outcome.append(seen)
    return outcome


@since(
    (6, 1),
    before=[["sync 1 saw nothing", "sync 2 saw sync 1", "caller saw sync 2"]] * 2
    + [["sync 1 saw nothing", "sync 2 saw sync 1", "caller saw nothing"]] * 2,
    after=[["sync 1 saw nothing", "sync 2 saw sync 1", "caller saw sync 2"]] * 4,
)
def test_context_set_by_sync_receivers_is_shared_and_kept(d: Dispatcher) -> Any:
    return _visible(d, "sync", initial=None)


@since(
    (6, 1),
    before=[["async 1 saw nothing", "async 2 saw nothing", "caller saw nothing"]] * 4,
    after=[["async 1 saw nothing", "async 2 saw async 1", "caller saw async 2"]] * 4,
)
def test_context_set_by_async_receivers_is_shared_and_kept(d: Dispatcher) -> Any:
    return _visible(d, "async", initial=None)


@since(
    (6, 1),
    before=[["async 1 saw the caller's", "async 2 saw the caller's", "caller saw the caller's"]]
    * 4,
    after=[["async 1 saw the caller's", "async 2 saw async 1", "caller saw async 2"]] * 4,
)
def test_context_of_the_caller_is_changed_by_async_receivers(d: Dispatcher) -> Any:
    return _visible(d, "async", initial="the caller's")


@since(
    (6, 1),
    before=[
        [
            "sync 1 saw x",
            "sync 2 saw sync 1",
            "async 1 saw sync 2",
            "async 2 saw sync 2",
            "caller saw sync 2",
        ]
    ]
    * 2
    + [["async 1 saw x", "async 2 saw x", "sync 1 saw x", "sync 2 saw sync 1", "caller saw x"]] * 2,
    after=[
        [
            "sync 1 saw x",
            "sync 2 saw sync 1",
            "async 1 saw sync 2",
            "async 2 saw async 1",
            "caller saw async 2",
        ]
    ]
    * 4,
)
def test_context_passes_from_sync_to_async_receivers(d: Dispatcher) -> Any:
    outcome = _visible(d, "", initial="x")
    # Before 6.1 the sync group of asend runs in a thread beside the async one: no order.
    return outcome[:2] + [
        seen if seen[0].startswith("sync") else sorted(seen[:-1]) + seen[-1:]
        for seen in outcome[2:]
    ]


@since(
    (6, 1),
    before=["nothing", "nothing"],
    after=["before it failed", "before it failed"],
)
def test_context_set_before_a_failure_is_kept(d: Dispatcher) -> Any:
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var")
    signal = d.make()

    async def failing(**named: Any) -> None:
        var.set("before it failed")
        raise ValueError("no")

    signal.connect(failing)

    async def main() -> str:
        try:
            await signal.asend(ANYONE)
        except ValueError:
            return var.get("nothing")
        return "no failure"

    def run() -> str:
        try:
            signal.send(ANYONE)
        except ValueError:
            return var.get("nothing")
        return "no failure"

    return [
        contextvars.copy_context().run(run),
        contextvars.copy_context().run(asyncio.run, main()),
    ]
