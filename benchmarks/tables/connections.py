"""What one more connection costs, and one fewer, when there are few and when there are many."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import blinker
import psygnal

from benchmarks import names, untouched
from benchmarks.budgets import Budget
from benchmarks.contenders import Batch, Growth
from benchmarks.peers import plugin, plugin_manager
from benchmarks.receivers import Receiver, receivers
from benchmarks.rows import Row, Setup, Table, timed
from benchmarks.timing import Contender
from signalpost import Signal

_FEW, _SOME, _MANY = 10, 2_000, 100_000
_AT_FEW = f"{names.OURS} at {_FEW}"

_CONNECT, _DISCONNECT = "signal.connect(item)", "signal.disconnect(item)"


@dataclass(frozen=True, slots=True)
class _Size:
    """How many connections there are, and how many are made and undone in one sample."""

    connections: int
    # One operation is about a microsecond: enough of them for the clock, too few to change the size.
    batch: int = 20
    passes: int = 5


# Django's connect and disconnect at 100,000 connections take milliseconds each.
_ONCE = _Size(_MANY, batch=1, passes=1)


def _filled(signal: Any, count: int) -> tuple[Any, list[Receiver]]:
    connected = receivers(count)
    for receiver in connected:
        signal.connect(receiver)
    return signal, connected


def _filled_django(count: int) -> tuple[Any, list[Receiver]]:
    """Django's connect scans its list, so 100,000 connects would take minutes. Entries that it made
    in many small signals, moved into one, are the same list."""
    signal = untouched.Signal()
    connected: list[Receiver] = []
    while len(connected) < count:
        part, kept = _filled(untouched.Signal(), min(100, count - len(connected)))
        signal.receivers.extend(part.receivers)
        connected.extend(kept)
    return signal, connected


def _connecting(filled: tuple[Any, list[Receiver]], size: _Size) -> Batch:
    signal, connected = filled
    return Batch(
        _CONNECT,
        items=receivers(size.batch),
        undo=signal.disconnect,
        passes=size.passes,
        signal=signal,
        keep=connected,
    )


def _disconnecting(filled: tuple[Any, list[Receiver]], size: _Size) -> Batch:
    signal, connected = filled
    return Batch(
        _DISCONNECT,
        items=random.Random(0).sample(connected, min(size.batch, len(connected))),
        undo=signal.connect,
        passes=size.passes,
        signal=signal,
        keep=connected,
    )


def _registering(size: _Size) -> Batch:
    manager = plugin_manager()
    for receiver in receivers(size.connections):
        manager.register(plugin(receiver))
    return Batch(
        "manager.register(item)",
        items=[plugin(receiver) for receiver in receivers(size.batch)],
        undo=manager.unregister,
        passes=1,
        manager=manager,
    )


def _at(count: int, timing: Callable[[tuple[Any, list[Receiver]], _Size], Batch]) -> Setup:
    """Ours with `count` connections and with ten, Django and blinker with `count`, and the peers
    that can be filled in a second."""
    size = _Size(count)

    @contextmanager
    def setup() -> Iterator[Mapping[str, Contender]]:
        contenders: dict[str, Contender] = {
            names.OURS: timing(_filled(Signal(), count), size),
            names.DJANGO: timing(_filled_django(count), _ONCE if count == _MANY else size),
            names.BLINKER: timing(_filled(blinker.Signal(), count), size),
        }
        if count > _FEW:
            contenders[_AT_FEW] = timing(_filled(Signal(), _FEW), size)
        if count <= _SOME and timing is _connecting:
            psygnal_signal = psygnal.SignalInstance((object, object))
            contenders[names.PSYGNAL] = timing(_filled(psygnal_signal, count), size)
            contenders[names.PLUGGY] = _registering(size)
        yield contenders

    return setup


def _growing(make: Callable[[], Any], count: int) -> Growth:
    return Growth(_CONNECT, items=receivers(count), make=lambda: {"signal": make()})


@contextmanager
def _growth() -> Iterator[Mapping[str, Contender]]:
    yield {
        names.OURS: _growing(Signal, _MANY),
        _AT_FEW: _connecting(_filled(Signal(), _FEW), _Size(_FEW)),
        names.BLINKER: _growing(blinker.Signal, _MANY),
    }


_AS_AT_FEW = Budget(names.OURS, against=_AT_FEW, at_most=1.3)

TABLE = Table(
    title="Connecting and disconnecting",
    unit="µs each",
    divisor=1_000,
    columns=(names.OURS, _AT_FEW, names.DJANGO, names.BLINKER, names.PSYGNAL, names.PLUGGY),
    rows=(
        Row("connect at 10 connections", timed(_at(_FEW, _connecting))),
        Row("connect at 2,000 connections", timed(_at(_SOME, _connecting))),
        Row(
            "connect at 100,000 connections",
            timed(_at(_MANY, _connecting)),
            (_AS_AT_FEW,),
        ),
        Row(
            "connect, mean on the way from none to 100,000",
            timed(_growth, least_rounds=2),
            (_AS_AT_FEW,),
        ),
        Row("disconnect at 100,000 connections", timed(_at(_MANY, _disconnecting))),
    ),
    note=(
        "Every receiver is another function. A sample is the best of five times 20 "
        "connects (or disconnects), undone outside the clock. psygnal and pluggy inspect each "
        "receiver: filling them with 100,000 takes too long here."
    ),
)
