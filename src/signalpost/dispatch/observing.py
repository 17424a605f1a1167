"""Observers: who is told what fires, who runs and for how long.

An observer is no receiver, so a signal has the listeners that it has without one. While there is
one, the signals that have receivers run the call loop, which makes an `Event` of each send and of
each receiver's run; while there is none, `hooks.observe` is None and that is all that is looked at.
"""

from __future__ import annotations

import logging
import time
from _contextvars import ContextVar
from _thread import RLock
from types import coroutine
from typing import Protocol

from signalpost.dispatch import hooks
from signalpost.dispatch.known import known_signals
from signalpost.dispatch.names import receiver_name, signal_name
from signalpost.dispatch.scopes import Scope
from signalpost.dispatch.takeover import registry_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any, Self


class Observer(Protocol):
    """What is told of events. What it raises is logged, and the send goes on."""

    def started(self, event: Event) -> None:
        """A send has begun, or a receiver's run: called in its thread or task."""

    def finished(self, event: Event) -> None:
        """It has ended, however it did: `duration`, `outcome` and `error` are known."""


RUNNING, RETURNED, RAISED = "running", "returned", "raised"
WAITS, RECORDED = "waits for commit", "recorded"
#: The outcomes of a receiver that is run later.
PUT_OFF = (WAITS, RECORDED)

_lock = RLock()
_everywhere: tuple[Observer, ...] = ()
_here: ContextVar[tuple[Observer, ...]] = ContextVar("signalpost_observers", default=())
_active = 0
_scope: Scope | None = None


class Event:
    """A send, or the run of one receiver in it."""

    __slots__ = (
        "__weakref__",
        "_before",
        "_clock",
        "_observers",
        "duration",
        "error",
        "notes",
        "outcome",
        "parent",
        "receiver",
        "sender",
        "signal",
        "started",
    )

    #: Seconds, from its start to its end; None while it runs.
    duration: float | None
    #: What it raised, or None.
    error: BaseException | None
    #: For observers, who keep here what belongs to the event. By any name that they like.
    notes: dict[str, Any]
    #: "running", "returned", "raised", or "waits for commit": the receiver will run then. "recorded":
    #: a worker will run it.
    outcome: str
    #: What it happened in. Of a receiver's run, its send; of a send, the receiver that sent, if any.
    parent: Event | None
    #: The receiver that runs; None for a send.
    receiver: Any
    sender: Any
    signal: Any
    #: When it began, in seconds since the epoch.
    started: float

    def __init__(
        self, signal: Any, sender: Any, receiver: Any = None, *, cause: Event | None = None
    ) -> None:
        self.signal = signal
        self.sender = sender
        self.receiver = receiver
        self.parent = current() if cause is None else cause
        self.outcome = RUNNING
        self.error = None
        self.duration = None
        self.notes = {}

    @property
    def name(self) -> str:
        """The name of the receiver, or of the signal that is sent."""
        return signal_name(self.signal) if self.receiver is None else receiver_name(self.receiver)

    def __repr__(self) -> str:
        return f"<Event {self.name} {self.outcome}>"

    def __enter__(self) -> Self:
        self._observers = (*_everywhere, *_here.get())
        self._before = hooks.event.get()
        hooks.event.set(self)
        self.started = time.time()
        self._clock = time.perf_counter()
        for observer in self._observers:
            _tell(observer, "started", self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.duration = time.perf_counter() - self._clock
        self.error = error
        if error is not None:
            self.outcome = RAISED
        elif self.outcome == RUNNING:
            self.outcome = RETURNED
        for observer in reversed(self._observers):
            _tell(observer, "finished", self)
        hooks.event.set(self._before)

    @coroutine
    def steps(self, awaitable: Any) -> Generator[Any, Any, Any]:
        """Await it, as what happens in this event.

        Receivers that are awaited together share one context, so whoever goes on has to say anew
        in which event it is.
        """
        inner = awaitable.__await__()
        step: Any = inner.__next__
        value: tuple[Any, ...] = ()
        while True:
            hooks.event.set(self)
            try:
                yielded = step(*value)
            except StopIteration as stop:
                return stop.value
            try:
                sent = yield yielded
            except BaseException as error:  # noqa: BLE001 - it is the awaited one's to handle
                step, value = inner.throw, (error,)
            else:
                step, value = (inner.__next__, ()) if sent is None else (inner.send, (sent,))


def current() -> Event | None:
    """The receiver's run, or the send, in which the caller is; None outside of any."""
    return hooks.event.get()


def add(observer: Observer, *, everywhere: bool = True) -> None:
    """Tell the observer from now on: of all that happens, or of this thread's or task's events."""
    global _everywhere, _active, _scope  # noqa: PLW0603 - the process's observers
    with _lock:
        if _scope is None:
            _scope = Scope((), everywhere=True)
            _scope.attend()
            for signal in known_signals():
                if registry_of(signal).groups:
                    _scope.include(signal)
            hooks.observe = Event
        if everywhere:
            _everywhere = (*_everywhere, observer)
        else:
            _here.set((*_here.get(), observer))
        _active += 1


def remove(observer: Observer, *, everywhere: bool = True) -> None:
    """The end of `add`. The last one to go has the signals run as ever."""
    global _everywhere, _active, _scope  # noqa: PLW0603 - the process's observers
    with _lock:
        told = _everywhere if everywhere else _here.get()
        left = _without(told, observer)
        if everywhere and len(left) == len(told):
            return  # it has ended before
        if everywhere:
            _everywhere = left
        else:
            _here.set(left)
        _active -= 1
        if not _active and _scope is not None:
            hooks.observe = None
            over, _scope = _scope, None
            over.neglect()


def _without(observers: tuple[Observer, ...], observer: Observer) -> tuple[Observer, ...]:
    kept = list(observers)
    for at, each in enumerate(kept):
        if each is observer:
            del kept[at]
            break
    return tuple(kept)


def _tell(observer: Observer, what: str, event: Event) -> None:
    try:
        getattr(observer, what)(event)
    except Exception:
        logging.getLogger("signalpost.tracing").exception(
            "Observer %r failed at %r", observer, event
        )
