"""A panel for Django Debug Toolbar: which signals fired in a request, who received, how long it took.

``DEBUG_TOOLBAR_PANELS = [..., "signalpost.django.toolbar.FiredSignalsPanel"]``. The toolbar's own
panel of signals lists what is connected; this one shows what ran.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from django.db import connections

from signalpost.dispatch.names import safe_repr, sent_by
from signalpost.dispatch.observing import PUT_OFF
from signalpost.inspect import place
from signalpost.listing import relative
from signalpost.tracing import Event, Recorder, nested, observe

if TYPE_CHECKING:

    class Panel:
        """What is used of the toolbar's class, which calls its panels' strings properties."""

        def get_stats(self) -> dict[str, Any]: ...
        def record_stats(self, stats: dict[str, Any]) -> None: ...

else:
    from debug_toolbar.panels import Panel

#: How many events of one request are shown.
SHOWN: int = 2_000


class CountingRecorder(Recorder):
    """A recorder that notes with each event how many queries ran in it, on this thread's connections."""

    def __init__(self) -> None:
        super().__init__(limit=SHOWN)
        self._queries = 0
        self._counted: list[Any] = []
        self._threads: set[int] = set()
        self._is_closed = False

    def count(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        """What Django calls in the place of `execute`, for each query."""
        self._queries += 1
        return execute(sql, params, many, context)

    def started(self, event: Event) -> None:
        """Keep the event, and see that this thread's queries count."""
        if self._is_closed:  # a task that outlived the request still knows it
            return
        if threading.get_ident() not in self._threads:
            self._threads.add(threading.get_ident())
            for connection in connections.all():
                # First: who uses `execute_wrapper` meanwhile takes the last away.
                connection.execute_wrappers.insert(0, self.count)
                self._counted.append(connection)
        event.notes["queries before"] = self._queries
        super().started(event)

    def finished(self, event: Event) -> None:
        """Note how many queries there were since it began."""
        if "queries before" in event.notes:
            event.notes["queries"] = self._queries - event.notes["queries before"]

    def close(self) -> None:
        """Count no more, and keep nothing more."""
        self._is_closed = True
        for connection in self._counted:
            if self.count in connection.execute_wrappers:
                connection.execute_wrappers.remove(self.count)


class FiredSignalsPanel(Panel):
    """What fired, in its order, nested as it happened."""

    title: str = "Signals that fired"
    template: str = "signalpost/toolbar.html"
    nav_title: str = title
    nav_icon: str = "debug_toolbar/img/signals.svg"
    is_async: bool = True

    @property
    def nav_subtitle(self) -> str:
        """How much there was, for the toolbar's list of panels."""
        stats = self.get_stats()
        sends, runs, waiting = (stats.get(name, 0) for name in ("sends", "runs", "waiting"))
        text = f"{runs} receiver{'s' * (runs != 1)} of {sends} signal{'s' * (sends != 1)}"
        return f"{text}, {waiting} on commit" if waiting else text

    def enable_instrumentation(self) -> None:
        """Observe what fires in this request."""
        self._recorder = CountingRecorder()
        self._observing = observe(self._recorder, here=True)
        self._observing.begin()

    def disable_instrumentation(self) -> None:
        """Observe no more."""
        self._observing.end()
        self._recorder.close()

    def generate_stats(self, request: Any, response: Any) -> None:
        """Keep what was seen in the shape that the template shows, and that the toolbar can store."""
        recorder = self._recorder
        rows = [_row(depth, event) for depth, event in nested(recorder.events)]
        receivers = [event for event in recorder.events if event.receiver is not None]
        self.record_stats(
            {
                "rows": rows,
                "missed": recorder.missed,
                "sends": len(recorder.events) - len(receivers),
                "runs": sum(event.outcome not in PUT_OFF for event in receivers),
                "waiting": sum(event.outcome in PUT_OFF for event in receivers),
                "longest": max((row["milliseconds"] for row in rows), default=0),
            }
        )


def _row(depth: int, event: Event) -> dict[str, Any]:
    file, line = (None, None) if event.receiver is None else place(event.receiver)
    return {
        "depth": depth,
        "kind": "signal" if event.receiver is None else "receiver",
        "name": event.name,
        "sender": sent_by(event.sender),
        "place": f"{relative(file)}:{line}" if file else "",
        "milliseconds": round((event.duration or 0.0) * 1_000, 3),
        "queries": event.notes.get("queries", 0),
        "outcome": event.outcome,
        "error": "" if event.error is None else safe_repr(event.error),
    }
