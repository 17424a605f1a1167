"""What a connection holds in memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any, Final

import blinker
import psygnal

from benchmarks import names, untouched
from benchmarks.budgets import Budget
from benchmarks.peers import plugin, plugin_manager
from benchmarks.receivers import Comment, receivers
from benchmarks.rows import Measure, Row, Table
from benchmarks.timing import Effort, Figures
from signalpost import Signal

_MANY: Final = 100_000
# Django's connect takes time in proportion to the connections there are, and psygnal and pluggy
# inspect each receiver.
_SOME: Final = 1_000

_SEND = {"sender": Comment, "comment": None}


def _bytes_each(
    items: Sequence[Any], connect: Callable[[Any], object], send: Callable[[], object]
) -> float:
    """What tracemalloc sees allocated by the connects and the send, for each of the items."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for item in items:
            connect(item)
        send()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    return (after - before) / len(items)


def _nothing() -> None:
    """No send: only the connections are measured."""


def _of_signal(signal: Any, count: int, *, sent: bool) -> float:
    def send() -> None:
        signal.send(**_SEND)

    return _bytes_each(receivers(count), signal.connect, send if sent else _nothing)


def _of_pluggy() -> float:
    manager = plugin_manager()
    plugins = [plugin(receiver) for receiver in receivers(_SOME)]
    return _bytes_each(plugins, manager.register, _nothing)


def _memory(*, sent: bool) -> Measure:
    def measure(effort: Effort) -> Figures:
        figures = {
            names.OURS: _of_signal(Signal(), _MANY, sent=sent),
            names.DJANGO: _of_signal(untouched.Signal(), _SOME, sent=sent),
            names.CACHING: _of_signal(untouched.Signal(use_caching=True), _SOME, sent=sent),
        }
        if not sent:
            figures[names.BLINKER] = _of_signal(blinker.Signal(), _SOME, sent=False)
            figures[names.PSYGNAL] = _of_signal(
                psygnal.SignalInstance((object,) * 2), _SOME, sent=False
            )
            figures[names.PLUGGY] = _of_pluggy()
        return figures

    return measure


_BUDGET = Budget(names.OURS, at_most=350, unit="bytes")

TABLE = Table(
    title="Memory",
    unit="bytes a connection",
    columns=names.PEERS,
    rows=(
        Row("connected", _memory(sent=False), (_BUDGET,)),
        Row("connected, after a send", _memory(sent=True)),
    ),
    note=(
        f"Ours with {_MANY:,} connections, the others with {_SOME:,}. The receivers exist before and "
        "are not counted."
    ),
)
