"""What fires: observers of sends and receivers, and the tree of what they saw.

An `Observer` is told of each send that reaches a receiver, and of each receiver's run, when it begins
and when it has ended. It is no receiver: signals have the listeners that they have without it, so
Django deletes and loads as fast as ever. Signals of Signalpost are observed, and with
`django.dispatch` adopted those of Django and of everybody else. While nobody observes it costs
nothing; while somebody does, signals run without generated code.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from signalpost.dispatch import observing
from signalpost.dispatch.blocks import Block
from signalpost.dispatch.names import safe_repr, sent_by, signal_name
from signalpost.dispatch.observing import Event, Observer, current

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Event", "LogObserver", "Observer", "Recorder", "current", "observe", "tree"]


class observe(Block):  # noqa: N801 - called as a function
    """Tell an observer what fires, for as long as the block lasts.

    A context manager and a decorator. With `here`, of this thread's or task's events alone; by
    default of the whole process's.

    >>> from signalpost import Signal
    >>> from signalpost.tracing import Recorder, observe, tree
    >>> added = Signal(name="added")
    >>> def notify(**kwargs): ...
    >>> added.connect(notify)
    >>> with observe(Recorder()) as seen:
    ...     responses = added.send(sender=None)
    >>> [(event.name.rpartition(".")[2], event.outcome) for event in seen.events]
    [('added', 'returned'), ('notify', 'returned')]
    """

    def __init__(self, observer: Observer, *, here: bool = False) -> None:
        self._observer = observer
        self._here = here
        self._begun = 0

    def copy(self) -> Self:
        """Another block with the same observer."""
        return type(self)(self._observer, here=self._here)

    def begin(self) -> Observer:
        """Observe from now on, until `end`. Gives the observer."""
        observing.add(self._observer, everywhere=not self._here)
        self._begun += 1
        return self._observer

    def end(self) -> None:
        """Observe no more. Nothing happens where it has ended before."""
        if self._begun:
            self._begun -= 1
            observing.remove(self._observer, everywhere=not self._here)


class Recorder:
    """An observer that keeps the events, in the order in which they began.

    `limit` of them at the most, by default 10,000: the later ones are counted in `missed`.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self.events: list[Event] = []
        self.limit: int = limit
        self.missed: int = 0

    def started(self, event: Event) -> None:
        """Keep the event."""
        if len(self.events) < self.limit:
            self.events.append(event)
        else:
            self.missed += 1

    def finished(self, event: Event) -> None:
        """It is kept already."""


class LogObserver:
    """An observer that logs each receiver's run at DEBUG, on the logger "signalpost.tracing".

    One that raised is logged at WARNING. The record has the `event`.
    """

    def __init__(self) -> None:
        self._logger = logging.getLogger("signalpost.tracing")

    def started(self, event: Event) -> None:
        """Nothing is known yet."""

    def finished(self, event: Event) -> None:
        """Log it, unless it is the send itself."""
        if event.receiver is None:
            return
        level = logging.DEBUG if event.error is None else logging.WARNING
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", describe(event), extra={"event": event})


def describe(event: Event) -> str:
    """One line on an event: ``"receiver of signal from sender: returned in 1.2 ms"``."""
    took = "" if event.duration is None else f" in {milliseconds(event.duration)}"
    failed = f" ({safe_repr(event.error)})" if event.error is not None else ""
    if event.receiver is None:
        return f"{event.name} from {sent_by(event.sender)}: {event.outcome}{took}{failed}"
    of = f"{signal_name(event.signal)} from {sent_by(event.sender)}"
    return f"{event.name} of {of}: {event.outcome}{took}{failed}"


def milliseconds(seconds: float) -> str:
    """A duration for people: ``"0.042 ms"``, ``"1.3 ms"``, ``"240 ms"``."""
    value = seconds * 1_000
    digits = 3 if value < 0.1 else 2 if value < 1 else 1 if value < 100 else 0  # noqa: PLR2004
    return f"{value:.{digits}f} ms"


def nested(events: Iterable[Event]) -> Iterator[tuple[int, Event]]:
    """The events with their depth, each behind what it happened in."""
    events = list(events)
    known = {id(event) for event in events}
    inside: dict[int | None, list[Event]] = {}
    for event in events:
        parent = id(event.parent) if event.parent and id(event.parent) in known else None
        inside.setdefault(parent, []).append(event)
    pending = [(0, event) for event in reversed(inside.get(None, []))]
    while pending:
        depth, event = pending.pop()
        yield depth, event
        pending.extend((depth + 1, child) for child in reversed(inside.get(id(event), [])))


def tree(events: Iterable[Event]) -> str:
    """The events as text, each under what it happened in: sends, and in them who received."""
    lines: list[str] = []
    for depth, event in nested(events):
        took = "" if event.duration is None else milliseconds(event.duration)
        of = f" from {sent_by(event.sender)}" if event.receiver is None else ""
        outcome = "" if event.outcome == observing.RETURNED else f"  {event.outcome}"
        failed = f": {safe_repr(event.error)}" if event.error is not None else ""
        lines.append(f"{'  ' * depth}{event.name}{of}  {took}{outcome}{failed}")
    return "\n".join(lines)
