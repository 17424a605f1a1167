"""What fires in the blog: which sends, which receivers, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from signalpost.tracing import Event, tree


@dataclass(frozen=True, slots=True)
class Run:
    """One send of the blog's signal: its events, and the receivers that ran in it."""

    events: tuple[Event, ...]

    @property
    def receivers(self) -> list[Event]:
        """The runs of receivers."""
        return [event for event in self.events if event.receiver is not None]

    @property
    def text(self) -> str:
        """The send and, under it, who received, with times."""
        return tree(self.events)


class Stopwatch:
    """An observer that calls `on_run` after each send of `signal`, also if a receiver raised."""

    def __init__(self, signal: object, *, on_run: Callable[[Run], object]) -> None:
        self._signal = signal
        self._on_run = on_run
        self._inside: dict[int, list[Event]] = {}

    def started(self, event: Event) -> None:
        """Keep the send, and what happens in it."""
        root = event
        while root.parent is not None:
            root = root.parent
        if root.signal is self._signal:
            self._inside.setdefault(id(root), []).append(event)

    def finished(self, event: Event) -> None:
        """Tell of the send, when it has ended."""
        if event.parent is None and event.signal is self._signal:
            self._on_run(Run(tuple(self._inside.pop(id(event)))))
