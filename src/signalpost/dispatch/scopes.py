"""Muting and capturing, for one thread or task: what `signalpost.testing` is made of.

A scope stands in a context variable, so other threads and tasks don't notice it. A signal that some
scope in the process is about looks at the variable in each send; all others run as ever.
"""

from __future__ import annotations

from _contextvars import ContextVar
from _thread import RLock
from weakref import WeakSet

from signalpost.dispatch import known
from signalpost.dispatch.plan import forget_all
from signalpost.dispatch.ruled import without_rules
from signalpost.dispatch.takeover import registry_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from signalpost.dispatch.signal import Signal
    from signalpost.dispatch.types import Receiver


class Scope:
    """What holds from its beginning to its end, in one context.

    `signals` are those that it is about. `silences` says which receivers aren't called; `note` is
    told of each send. `everywhere`: it is about each signal that a receiver is connected to.
    """

    __slots__ = ("_given", "_is_over", "everywhere", "note", "signals", "silences")

    everywhere: bool
    signals: WeakSet[Signal]
    silences: Callable[[Signal, Any, Receiver | None], bool] | None
    note: Callable[[Signal, Any, dict[str, Any]], None] | None

    def __init__(
        self,
        signals: Iterable[Signal],
        *,
        silences: Callable[[Signal, Any, Receiver | None], bool] | None = None,
        note: Callable[[Signal, Any, dict[str, Any]], None] | None = None,
        everywhere: bool = False,
    ) -> None:
        self.signals = WeakSet()
        self._given = tuple(signals)
        self._is_over = False
        self.everywhere = everywhere
        self.silences = silences
        self.note = note

    def begin(self) -> None:
        """Hold from now on in this context."""
        self.attend()
        _current.set((*_current.get(), self))

    def end(self) -> None:
        """Hold no more; others that began meanwhile go on."""
        _current.set(tuple(scope for scope in _current.get() if scope is not self))
        self.neglect()

    def attend(self) -> None:
        """Have the signals look, in each send, at what is in force."""
        if self.everywhere:
            known.everywhere.append(self)
        for signal in self._given:
            self.include(signal)
        self._given = ()

    def include(self, signal: Any) -> None:
        """Be about this signal too: one that was given, or to which a receiver is connected."""
        registry_of(signal)
        # In this order everywhere: a connect holds the signal's lock when it comes here.
        with signal.lock, _counting:
            if not self._is_over and signal not in self.signals:
                self.signals.add(signal)
                _count(signal, 1)

    def neglect(self) -> None:
        """The end of `attend`."""
        if self.everywhere:
            known.everywhere.remove(self)
        with _counting:
            self._is_over = True
            signals = list(self.signals)
        for signal in signals:
            with signal.lock, _counting:
                _count(signal, -1)


_current: ContextVar[tuple[Scope, ...]] = ContextVar("signalpost_scopes", default=())
_counting = RLock()


def _count(signal: Signal, change: int) -> None:
    """The caller holds the signal's lock and that of the counts."""
    registry = signal._registry
    registry.scopes += change
    signal._looped = bool(registry.scopes) or signal._payload is not None or signal._ruled
    forget_all(registry)


def audible(signal: Signal, sender: Any, receivers: Sequence[Receiver]) -> list[Receiver]:
    """Those of the receivers that no scope of this context silences."""
    scopes = [scope for scope in _current.get() if scope.silences and signal in scope.signals]
    if not scopes:
        return list(receivers)
    return [
        receiver
        for receiver in receivers
        if not any(
            scope.silences is not None and scope.silences(signal, sender, without_rules(receiver))
            for scope in scopes
        )
    ]


def note(signal: Signal, sender: Any, named: dict[str, Any]) -> None:
    """Tell the scopes of this context of a send."""
    for scope in _current.get():
        if scope.note is not None and signal in scope.signals:
            scope.note(signal, sender, named)
