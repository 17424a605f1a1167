"""Which receivers count as async: decided once, when they are connected."""

from __future__ import annotations

import asyncio
import functools
from typing import Any
from unittest import mock

from asgiref.sync import markcoroutinefunction

from tests.parity.compare import parity
from tests.parity.dispatchers import Dispatcher
from tests.parity.kinds import Listener, free
from tests.parity.observe import ANYONE


@parity()
def test_which_kinds_are_async(d: Dispatcher) -> Any:
    async def later(**named: Any) -> None: ...

    async def generator(**named: Any) -> Any:
        yield 1

    @functools.wraps(later)
    def wrapper(**named: Any) -> Any: ...

    def marked(**named: Any) -> Any: ...

    class AsyncCall:
        async def __call__(self, **named: Any) -> None: ...

    listener = Listener()
    marked_object = AsyncCall()
    markcoroutinefunction(marked)
    markcoroutinefunction(marked_object)
    kinds = [
        free,
        later,
        listener.hear_later,
        Listener.hear_class_later,
        functools.partial(later),
        functools.partial(functools.partial(later, a=1), b=2),
        functools.partial(listener.hear_later),
        mock.AsyncMock(),
        mock.Mock(),
        generator,
        wrapper,
        marked,
        marked_object,
    ]
    outcome = []
    for receiver in kinds:
        signal = d.make()
        signal.connect(receiver)
        outcome.append(signal.receivers[0][-1])
    return outcome


@parity()
def test_being_async_is_decided_once_when_connected(d: Dispatcher) -> Any:
    def receive(**named: Any) -> str:
        return "a plain string"

    signal = d.make()
    signal.connect(receive)
    before = signal._live_receivers(ANYONE)
    markcoroutinefunction(receive)
    d.refresh(signal)
    after = signal._live_receivers(ANYONE)
    signal.connect(receive)
    return before == after == ([receive], []), [answer for _, answer in d.send(signal, ANYONE)]


@parity()
def test_async_generator_is_called_as_a_sync_receiver(d: Dispatcher) -> Any:
    async def generator(**named: Any) -> Any:
        yield 1

    signal = d.make()
    signal.connect(generator)
    [(receiver, response)] = d.send(signal, ANYONE)
    return receiver is generator, type(response).__name__


@parity()
def test_sync_function_that_returns_a_coroutine_stays_sync(d: Dispatcher) -> Any:
    async def later(**named: Any) -> str:
        return "later"

    def receive(**named: Any) -> Any:
        return later(**named)

    signal = d.make()
    signal.connect(receive)
    [(_, coroutine)] = signal.send(ANYONE)
    return asyncio.run(coroutine)


@parity()
def test_async_kinds_are_awaited(d: Dispatcher) -> Any:
    async def later(**named: Any) -> str:
        return "function"

    listener = Listener()
    kept = [
        later,
        listener.hear_later,
        Listener.hear_class_later,
        functools.partial(later),
        mock.AsyncMock(return_value="mock"),
    ]
    signal = d.make()
    for receiver in kept:
        signal.connect(receiver)
    responses = signal.send(ANYONE)
    return [a == b for (a, _), b in zip(responses, kept, strict=True)], [r for _, r in responses]
