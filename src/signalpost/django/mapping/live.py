"""What fires while somebody looks: the observer behind the map, and what it tells the page.

It observes only while a page asks, and leaves out the requests of the pages themselves.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from django.core.signals import request_finished, request_started

from signalpost.dispatch.names import receiver_name, sent_by, signal_name
from signalpost.dispatch.observing import PUT_OFF
from signalpost.django.mapping.places import sent_from
from signalpost.tracing import Event, observe

#: Nobody has asked for so long: nobody looks any more. Longer than a hidden page waits.
SECONDS_TO_OBSERVE = 5.0
# By then a request has passed the middleware, and it is known whether it is a page's own.
_SECONDS_TO_CLAIM = 0.05
# From then on what fires is counted without its sender, its line and its cause.
_ROWS = 5_000


@dataclass(slots=True)
class Row:
    """How often one thing has happened: a send, or the run of a receiver."""

    signal: str
    #: None: a send.
    receiver: str | None
    sender: str | None
    #: The line that sent.
    place: str | None
    #: The receiver in which it was sent.
    cause: str | None
    count: int = 0
    failures: int = 0
    #: How often the receiver was told to run after the commit.
    waits: int = 0
    total_ms: float = 0.0
    last_ms: float = 0.0
    #: The cursor after which it changed.
    changed: int = 0

    def add(self, other: Row) -> None:
        self.count += other.count
        self.failures += other.failures
        self.waits += other.waits
        self.total_ms += other.total_ms
        if other.count:
            self.last_ms = other.last_ms


_Key = tuple[str, str | None, str | None, str | None, str | None]
_Rows = dict[_Key, Row]


class _Request:
    """What has fired in one request, until it is known whose the request is."""

    __slots__ = ("began", "own", "rows")

    def __init__(self, began: float) -> None:
        self.began = began
        self.own = False
        #: None: counted with all others from now on.
        self.rows: _Rows | None = {}


_request: ContextVar[_Request | None] = ContextVar("signalpost_map_request", default=None)


class Live:
    """Counts what fires, while pages ask what has changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = RLock()
        self._block = observe(self)
        self._observing = False
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._asked = 0.0
        self._forget()

    def poll(self, run: str, since: int) -> dict[str, Any]:
        """What has changed since the cursor of that run, or all where the run is another one.

        The request in which this is called, and those who call `leave_out`, aren't counted.
        """
        with self._lock:
            self._asked = self._clock()
            if not self._observing:
                self._forget()
                self._observing = True
                self._block.begin()
            self.leave_out()
            self._settle()
            after = since if run == self._run else 0
            changed = [asdict(row) for row in self._rows.values() if row.changed > after]
            return {"run": self._run, "cursor": self._cursor, "rows": changed}

    def leave_out(self) -> None:
        """Don't count what fires in the request that is being answered."""
        request = _request.get()
        if request is None:
            request = _Request(self._clock())
            _request.set(request)
        request.own = True
        request.rows = None

    def started(self, event: Event) -> None:
        """Note that a request begins: what fires from now on in this context is part of it."""
        if event.receiver is None and event.signal is request_started:
            request = _Request(self._clock())
            _request.set(request)
            with self._lock:
                self._requests.append(request)

    def finished(self, event: Event) -> None:
        """Count it. If nobody has asked for a while, observe no more."""
        if self._clock() - self._asked > SECONDS_TO_OBSERVE:
            self.stop()
            return
        request = _request.get()
        if request is None or not request.own:
            self._count(self._row(event), request)
        if event.receiver is None and event.signal is request_finished:
            _request.set(None)

    @property
    def is_observing(self) -> bool:
        """Whether somebody looks."""
        return self._observing

    def stop(self) -> None:
        """Observe no more, and forget what was counted."""
        with self._lock:
            if self._observing:
                self._observing = False
                self._block.end()
                self._forget()
        _request.set(None)

    def _forget(self) -> None:
        self._run = secrets.token_hex(8)
        self._cursor = 0
        self._rows: _Rows = {}
        self._requests: list[_Request] = []

    def _row(self, event: Event) -> Row:
        is_send = event.receiver is None
        milliseconds = (event.duration or 0.0) * 1_000
        waits = event.outcome in PUT_OFF
        cause = event.parent.receiver if is_send and event.parent is not None else None
        return Row(
            signal=self._name(event.signal),
            receiver=None if is_send else receiver_name(event.receiver),
            sender=None if event.sender is None else sent_by(event.sender),
            place=sent_from() if is_send else None,
            cause=None if cause is None else receiver_name(cause),
            count=int(not waits),
            failures=int(event.error is not None),
            waits=int(waits),
            total_ms=0.0 if waits else milliseconds,
            last_ms=0.0 if waits else milliseconds,
        )

    def _count(self, row: Row, request: _Request | None) -> None:
        with self._lock:
            if request is not None and request.rows is not None:
                _merge(row, request.rows)
            else:
                self._add(row)

    def _add(self, row: Row) -> None:
        self._cursor += 1
        _merge(row, self._rows).changed = self._cursor

    def _settle(self) -> None:
        undecided: list[_Request] = []
        for request in self._requests:
            if not request.own and self._clock() - request.began < _SECONDS_TO_CLAIM:
                undecided.append(request)
                continue
            rows, request.rows = request.rows or {}, None
            for row in rows.values():
                self._add(row)
        self._requests = undecided

    def _name(self, signal: Any) -> str:
        # Kept, since an unnamed one is looked for again each time.
        name = self._names.get(signal)
        if name is None:
            name = self._names[signal] = signal_name(signal)
        return name


def _merge(row: Row, rows: _Rows) -> Row:
    key: _Key = (row.signal, row.receiver, row.sender, row.place, row.cause)
    if key not in rows and len(rows) >= _ROWS:
        row.sender = row.place = row.cause = None
        key = (row.signal, row.receiver, None, None, None)
    found = rows.get(key)
    if found is None:
        rows[key] = row
        return row
    found.add(row)
    return found


#: The one of this process.
live: Live = Live()
