"""Signals on their cold path (a loop) and on their hot one (generated code)."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from signalpost import Signal

# More than `plan.SENDS_BEFORE_CODE`; a test holds that generated code runs by then.
HOT = 10
WAYS = ("send", "send_robust", "asend", "asend_robust")


def heat(signal: Signal, sends: int, sender: Any = None, /, **payload: Any) -> None:
    """Send so often before the send that a test looks at."""
    for _ in range(sends):
        signal.send(sender, **payload)


def dispatch(way: str, signal: Signal, sender: Any = None, /, **payload: Any) -> Any:
    """Send in one of the four ways and return the responses."""
    sent = getattr(signal, way)(sender, **payload)
    return asyncio.run(sent) if way.startswith("a") else sent


def responses(pairs: list[tuple[Any, Any]]) -> list[Any]:
    """What the receivers returned, in call order."""
    return [response for _, response in pairs]


def called_by_generated_code(depth: int = 2) -> bool:
    """Whether the caller, a receiver, runs in code that was generated for its signal."""
    return sys._getframe(depth).f_code.co_filename.startswith("<signalpost send")


def plan_of(signal: Signal) -> Any:
    """The plan of all senders that have no receivers of their own, once there was a send."""
    table = signal._registry.table
    assert table is not None
    return table.default
