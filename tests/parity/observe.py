"""What a scenario sees: calls, exceptions and log records as plain values that can be compared."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any


class Sender:
    """A sender with a name, that can be weakly referenced."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


ANYONE = Sender("anyone")


def ignore(**named: Any) -> None:
    """A receiver that takes everything, and lives as long as this module."""


class Calls(list[Any]):
    """The calls in their order: `(receiver's name, sender, payload)`. Makes the receivers."""

    def receiver(self, name: str, *, raises: BaseException | None = None, then: Any = None) -> Any:
        """A sync receiver that records its call, then calls `then(signal)`, then raises."""

        def receive(signal: Any, sender: Any, **named: Any) -> str:
            self.append((name, str(sender), named))
            if then is not None:
                then(signal)
            if raises is not None:
                raise raises
            return f"{name} answered"

        receive.__qualname__ = receive.__name__ = name
        return receive

    def async_receiver(self, name: str, *, raises: BaseException | None = None) -> Any:
        """An async receiver that records its call, then raises."""

        async def receive(signal: Any, sender: Any, **named: Any) -> str:
            self.append((name, str(sender), named))
            if raises is not None:
                raise raises
            return f"{name} answered"

        receive.__qualname__ = receive.__name__ = name
        return receive

    def names(self) -> list[str]:
        """The names of the receivers called since the last time, in order."""
        names = [name for name, *_ in self]
        self.clear()
        return names


def answers(responses: list[tuple[Any, Any]]) -> list[Any]:
    """The responses without their receivers; exceptions as text."""
    return [
        repr(answer) if isinstance(answer, BaseException) else answer for _, answer in responses
    ]


def raised(call: Callable[[], Any]) -> tuple[str, str] | None:
    """Type and text of what `call` raises, None if it doesn't."""
    try:
        call()
    except BaseException as error:
        return type(error).__name__, str(error)
    return None


def raised_builtin(call: Callable[[], Any]) -> str | None:
    """The builtin exception that `call` raises: ours may be a subclass with a better text."""
    try:
        call()
    except BaseException as error:
        return next(t.__name__ for t in type(error).__mro__ if t.__module__ == "builtins")
    return None


def connected_in_turn(signal: Any, calls: Calls) -> list[Any]:
    """Async and sync receivers, connected by turns."""
    kept = [
        calls.async_receiver("async 1"),
        calls.receiver("sync 1"),
        calls.async_receiver("async 2"),
        calls.receiver("sync 2"),
    ]
    for receiver in kept:
        signal.connect(receiver)
    return kept


def connected(d: Any, calls: Calls, names: str) -> tuple[Any, list[Any]]:
    """A warm signal with a receiver for each letter."""
    signal = d.make()
    kept = [calls.receiver(name) for name in names]
    for receiver in kept:
        signal.connect(receiver)
    d.send(signal, ANYONE)
    calls.clear()
    return signal, kept


@contextlib.contextmanager
def logged() -> Iterator[list[logging.LogRecord]]:
    """The records that reach the logger `django.dispatch` meanwhile."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    logger = logging.getLogger("django.dispatch")
    handler = Keep()
    logger.addHandler(handler)
    propagate, logger.propagate = logger.propagate, False
    try:
        yield records
    finally:
        logger.propagate = propagate
        logger.removeHandler(handler)


def described(records: list[logging.LogRecord]) -> list[Any]:
    """All that a handler could tell two records apart by."""
    return [
        (
            record.levelname,
            record.name,
            record.msg,
            [repr(arg) for arg in record.args or ()],
            record.getMessage(),
            repr(record.exc_info[1]) if record.exc_info else None,
        )
        for record in records
    ]


def everything(signal: Any, sender: Any) -> list[Any]:
    """The answers of the four sends and of has_listeners."""
    with logged():
        return [
            answers(signal.send(sender, a=1)),
            answers(signal.send_robust(sender, a=1)),
            answers(asyncio.run(signal.asend(sender, a=1))),
            answers(asyncio.run(signal.asend_robust(sender, a=1))),
            signal.has_listeners(sender),
        ]
