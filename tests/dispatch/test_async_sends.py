"""Async receivers: where Django's rules end, or aren't ours."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from typing import Any

import pytest
from asgiref.sync import AsyncToSync, ThreadSensitiveContext, async_to_sync, sync_to_async

from signalpost import RunningLoopError, Signal, SignalpostError, signal
from tests.dispatch.heat import HOT, dispatch, heat, responses

HERE = __name__
current: contextvars.ContextVar[str] = contextvars.ContextVar("current", default="nobody")


async def first(**named: Any) -> str:
    return "first"


async def second(**named: Any) -> str:
    return "second"


async def failing(**named: Any) -> None:
    raise ValueError("broken") from LookupError("the cause")


async def failing_otherwise(**named: Any) -> None:
    raise TypeError("broken, too")


def connected(*receivers: Any) -> Signal:
    signal = Signal(name="shop.paid")
    for receiver in receivers:
        signal.connect(receiver)
    return signal


@pytest.mark.parametrize("way", ["send", "send_robust"])
@pytest.mark.parametrize("hot", [True, False], ids=["hot", "cold"])
def test_send_in_a_running_loop_is_refused_before_any_receiver_ran(way: str, hot: bool) -> None:
    ran: list[str] = []

    def sync(**named: Any) -> None:
        ran.append("sync")

    signal = connected(sync)
    heat(signal, HOT if hot else 0, a=1)
    ran.clear()
    signal.connect(first)
    signal.connect(second)

    async def main() -> None:
        getattr(signal, way)(None, a=1)

    with pytest.raises(RunningLoopError) as caught:
        asyncio.run(main())

    assert ran == []
    assert str(caught.value) == (
        "Cannot send signal 'shop.paid' from inside a running event loop: it has async receivers "
        f"('{HERE}.first', '{HERE}.second'), which `send` can't await there. No receiver was "
        "called. Use `await signal.asend(...)` (or `asend_robust`)."
    )


def test_refusal_is_the_runtime_error_that_django_would_raise_later() -> None:
    assert issubclass(RunningLoopError, RuntimeError)
    assert issubclass(RunningLoopError, SignalpostError)


def test_send_to_another_senders_async_receivers_is_no_reason_to_refuse() -> None:
    class Sender: ...

    signal = connected()
    signal.connect(first, sender=Sender)

    async def main() -> Any:
        return signal.send(None), responses(await signal.asend(Sender))

    assert asyncio.run(main()) == ([], ["first"])


@pytest.mark.parametrize("siblings", [[], [first], [first, second]], ids=len)
def test_failure_keeps_its_cause(siblings: list[Any]) -> None:
    signal = connected(failing, *siblings)

    with pytest.raises(ValueError, match="broken") as caught:
        asyncio.run(signal.asend(None))

    assert str(caught.value.__cause__) == "the cause"


def test_two_failures_are_a_group_with_their_causes() -> None:
    signal = connected(failing, failing_otherwise)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(signal.asend(None))

    assert [type(error) for error in caught.value.exceptions] == [ValueError, TypeError]
    assert str(caught.value.exceptions[0].__cause__) == "the cause"


def test_group_that_a_receiver_raises_is_raised_as_it_is() -> None:
    own = ExceptionGroup("own", [ValueError("inside")])

    async def raises_a_group(**named: Any) -> None:
        raise own

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(connected(raises_a_group, first).asend(None))

    assert caught.value is own


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
@pytest.mark.parametrize("receivers", [[failing, first], [first, failing]], ids=["early", "late"])
def test_one_failure_is_raised_bare_where_tasks_start_eagerly(receivers: list[Any]) -> None:
    signal = connected(*receivers)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        await signal.asend(None)

    with pytest.raises(ValueError, match="broken"):
        asyncio.run(main())


class Stop(BaseException):
    """As KeyboardInterrupt, which stops asyncio's loop itself as soon as a task raises it."""


@pytest.mark.parametrize("way", ["asend", "asend_robust", "send", "send_robust"])
@pytest.mark.parametrize("siblings", [[], [first]], ids=["alone", "with a sibling"])
def test_what_is_no_exception_is_raised_by_robust_sends_too(way: str, siblings: list[Any]) -> None:
    async def stops(**named: Any) -> None:
        raise Stop

    with pytest.raises(Stop):
        dispatch(way, connected(stops, *siblings))


@pytest.mark.parametrize("way", ["asend", "asend_robust"])
@pytest.mark.parametrize("siblings", [[], [first], [first, second]], ids=len)
def test_cancelled_error_of_a_receiver_reaches_the_sender(way: str, siblings: list[Any]) -> None:
    async def cancelled(**named: Any) -> None:
        raise asyncio.CancelledError

    async def main() -> str:
        try:
            await getattr(connected(cancelled, *siblings), way)(None)
        except asyncio.CancelledError:
            return "cancelled"
        return "swallowed"

    assert asyncio.run(main()) == "cancelled"


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("way", ["asend", "asend_robust"])
def test_context_that_receivers_set_is_the_callers(count: int, way: str) -> None:
    def make(n: int) -> Any:
        async def sets(**named: Any) -> str:
            before = current.get()
            current.set(f"set by {n}")
            return before

        return sets

    receivers = [make(n) for n in range(count)]
    signal = connected(*receivers)

    async def main() -> Any:
        current.set("set by the caller")
        return responses(await getattr(signal, way)(None)), current.get()

    seen, after = asyncio.run(main())
    assert seen == ["set by the caller", *(f"set by {n}" for n in range(count - 1))]
    assert after == f"set by {count - 1}"
    assert current.get() == "nobody"


def test_context_that_a_failing_receiver_set_is_the_callers() -> None:
    async def sets_and_fails(**named: Any) -> None:
        current.set("set before the failure")
        raise ValueError("broken")

    async def main() -> str:
        with pytest.raises(ValueError, match="broken"):
            await connected(sets_and_fails, first).asend(None)
        return current.get()

    assert asyncio.run(main()) == "set before the failure"


def test_lone_async_receiver_is_awaited_in_the_callers_task() -> None:
    async def task(**named: Any) -> Any:
        return asyncio.current_task()

    async def main() -> bool:
        return responses(await connected(task).asend(None)) == [asyncio.current_task()]

    assert asyncio.run(main())


def test_lone_async_receiver_of_one_sender_is_awaited() -> None:
    class Sender: ...

    signal = connected()
    signal.connect(first, sender=Sender)

    assert asyncio.run(signal.asend(Sender)) == [(first, "first")]
    assert asyncio.run(signal.asend(None)) == []


def test_lone_async_receiver_that_died_or_left_is_not_awaited() -> None:
    signal = connected(first)
    assert asyncio.run(signal.asend(None)) == [(first, "first")]
    signal.disconnect(first)
    assert asyncio.run(signal.asend(None)) == []

    async def dies(**named: Any) -> None: ...

    signal.connect(dies)
    asyncio.run(signal.asend(None))
    del dies
    assert asyncio.run(signal.asend(None)) == []


def test_lone_async_receiver_is_called_through_a_replaced_live_receivers() -> None:
    signal = connected(first)
    asyncio.run(signal.asend(None))
    signal._live_receivers = lambda sender: ([], [second])  # type: ignore[method-assign]

    assert asyncio.run(signal.asend(None)) == [(second, "second")]


def test_lone_async_receiver_of_a_muted_signal_is_not_awaited() -> None:
    signal = connected(first)
    asyncio.run(signal.asend(None))
    signal.receivers = []

    assert asyncio.run(signal.asend(None)) == []


def test_signal_among_the_names_is_a_type_error_for_async_receivers_too() -> None:
    with pytest.raises(TypeError, match="multiple values for keyword argument 'signal'"):
        asyncio.run(connected(first).asend(None, **{"signal": 1}))


def test_typed_signal_is_sent_to_async_receivers_with_its_defaults() -> None:
    @signal
    def comment_added(sender: Any, *, comment: str, via: str = "web") -> None: ...

    async def names_default(via: str) -> str:
        return via

    async def names_all(sender: Any, *, comment: str, via: str) -> str:
        return comment + via

    comment_added.connect(names_default)
    assert responses(asyncio.run(comment_added.asend(None, comment="c"))) == ["web"]
    comment_added.connect(names_all)
    assert responses(asyncio.run(comment_added.asend(None, comment="c"))) == ["web", "cweb"]


@pytest.mark.parametrize("inside", ["a loop", "async_to_sync", "a thread-sensitive context"])
def test_receivers_that_are_awaited_together_may_call_sync_code(inside: str) -> None:
    """In Django 6.1 the second is refused: "would deadlock"."""
    signal = Signal()
    threads: list[int] = []

    async def one(**named: Any) -> None:
        for _ in range(3):
            await sync_to_async(lambda: threads.append(threading.get_ident()))()
            await asyncio.sleep(0)

    async def other(**named: Any) -> None:
        await one()

    signal.connect(one)
    signal.connect(other)

    async def main() -> None:
        if inside == "a thread-sensitive context":
            async with ThreadSensitiveContext():
                await asyncio.gather(signal.asend(None), signal.asend(None))
        else:
            await asyncio.gather(signal.asend(None), signal.asend(None))

    if inside == "async_to_sync":
        async_to_sync(main)()
    else:
        asyncio.run(main())
    assert len(threads) == 12
    assert len(set(threads)) == 1
    assert not any(loop.is_closed() for loop in AsyncToSync.loop_thread_executors)
