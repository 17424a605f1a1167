"""`mute`: silent in one thread or task, and nowhere else."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.db.models.signals import post_delete, post_save

from signalpost import DeclarationError, Signal, mute
from tests.dispatch.heat import HOT


def one(**named: Any) -> str:
    return "one"


def two(**named: Any) -> str:
    return "two"


async def three(**named: Any) -> str:
    return "three"


def every(*receivers: Any) -> Signal:
    signal = Signal()
    for receiver in receivers:
        signal.connect(receiver)
    return signal


def heard(signal: Any, sender: Any = None) -> list[str]:
    return [response for _, response in signal.send(sender)]


def test_muted_signal_has_no_listeners() -> None:
    signal = every(one, three)
    for _ in range(HOT):
        assert heard(signal) == ["one", "three"]
    with mute(signal):
        assert not signal.has_listeners()
        assert signal.send(None) == signal.send_robust(None) == signal.send_all(None) == []
        assert asyncio.run(signal.asend(None)) == asyncio.run(signal.asend_robust(None)) == []
    assert signal.has_listeners()
    assert heard(signal) == ["one", "three"]


def test_sole_async_receiver_is_muted_too() -> None:
    signal = every(three)

    async def main() -> list[Any]:
        await signal.asend(None)
        with mute(signal):
            return await signal.asend(None)

    assert asyncio.run(main()) == []


def test_single_receivers_of_whatever_signal() -> None:
    signals = [every(one, two), every(one), every(two)]
    with mute(one):
        late = every(one, two)
        assert [heard(signal) for signal in (*signals, late)] == [["two"], [], ["two"], ["two"]]
    assert [heard(signal) for signal in (*signals, late)] == [
        ["one", "two"], ["one"], ["two"], ["one", "two"]
    ]  # fmt: skip


def test_some_senders_only() -> None:
    class A: ...

    class B: ...

    signal = every(one)
    with mute(signal, sender=A):
        assert (heard(signal, A), heard(signal, B)) == ([], ["one"])
        assert (signal.has_listeners(A), signal.has_listeners(B)) == (False, True)
    with mute(one, sender=[A, B]):
        assert (heard(signal, A), heard(signal, B), heard(signal)) == ([], [], ["one"])


def test_other_threads_and_tasks_do_not_notice() -> None:
    signal = every(one)
    seen: list[Any] = []

    async def muted(begun: asyncio.Event, done: asyncio.Event) -> None:
        with mute(signal):
            begun.set()
            await done.wait()
            seen.append(heard(signal))

    async def other(begun: asyncio.Event, done: asyncio.Event) -> None:
        await begun.wait()
        seen.append(heard(signal))
        done.set()

    async def main() -> None:
        events = asyncio.Event(), asyncio.Event()
        await asyncio.gather(muted(*events), other(*events))

    asyncio.run(main())
    with mute(signal):
        thread = threading.Thread(target=lambda: seen.append(heard(signal)))
        thread.start()
        thread.join()
        seen.append(heard(signal))
    assert seen == [["one"], [], ["one"], []]


def test_nested_in_whatever_order_they_end() -> None:
    a, b = every(one), every(two)
    first, second, third = mute(a), mute(a, b), mute(b)
    for block in (first, second, third):
        block.begin()
    second.end()
    assert (heard(a), heard(b)) == ([], [])
    first.end()
    assert (heard(a), heard(b)) == (["one"], [])
    third.end()
    assert (heard(a), heard(b)) == (["one"], ["two"])
    with first, first:
        assert heard(a) == []
    assert heard(a) == ["one"]


def test_connections_made_while_muted_stay() -> None:
    signal = every(one)
    with mute(signal):
        signal.connect(two)
        signal.disconnect(one)
        assert heard(signal) == []
    assert heard(signal) == ["two"]


def test_decorates_functions_coroutines_and_test_classes() -> None:
    signal = every(one)

    @mute(signal)
    def plain(depth: int = 2) -> list[str]:
        return heard(signal) + (plain(depth - 1) if depth else [])

    @mute(signal)
    async def later() -> list[str]:
        await asyncio.sleep(0)
        return signal.send(None)  # type: ignore[return-value]

    @mute(signal)
    class Tests:
        def test_it(self) -> list[str]:
            return heard(signal)

        def helper(self) -> list[str]:
            return heard(signal)

    assert plain() == asyncio.run(later()) == Tests().test_it() == []
    assert plain.__name__ == "plain"
    assert Tests().helper() == heard(signal) == ["one"]


def test_adopted_signals() -> None:
    kept = [one]
    post_save.connect(one)
    post_delete.connect(one)
    try:
        with mute(post_save, post_delete):
            assert not post_delete.has_listeners(object)
            assert post_save.send(object) == post_save.send_robust(object) == []
        assert post_delete.has_listeners(object)
        assert heard(post_save, object) == ["one"] * len(kept)
    finally:
        post_save.disconnect(one)
        post_delete.disconnect(one)


def test_signal_whose_live_receivers_were_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """As sentry-sdk does."""
    signal = every(one)
    monkeypatch.setattr(signal, "_live_receivers", lambda sender: ([two], []))
    with mute(signal):
        assert heard(signal) == []
        assert not signal.has_listeners()
    assert heard(signal) == ["two"]


def test_failing_block_ends_too() -> None:
    signal = every(one)
    with pytest.raises(ZeroDivisionError), mute(signal):
        raise ZeroDivisionError
    assert heard(signal) == ["one"]


def test_wrong_uses() -> None:
    with pytest.raises(DeclarationError, match="needs to know what"):
        mute()
    with pytest.raises(DeclarationError, match="'post_save' is neither"):
        mute("post_save")
