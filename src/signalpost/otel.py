"""OpenTelemetry: a span for each send and each receiver's run. Needs ``signalpost[otel]``.

``SIGNALPOST = {"OBSERVERS": ["signalpost.otel.SpanObserver"]}`` in a Django project; elsewhere
``observe(SpanObserver()).begin()`` of `signalpost.tracing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry import context, trace
from opentelemetry.trace import Status, StatusCode

from signalpost.dispatch.names import receiver_name, sent_by, signal_name
from signalpost.tracing import Event

#: What fires all the time and says little: the signals of Django that no span is made for.
DENIED: tuple[str, ...] = (
    "django.db.models.signals.pre_init",
    "django.db.models.signals.post_init",
    "django.db.models.signals.class_prepared",
    "django.core.signals.request_*",
    "django.db.backends.signals.connection_created",
)


class SpanObserver:
    """An observer that makes spans, nested as the sends and receivers are.

    A send's span is called after the signal, a receiver's after the receiver; they have the
    attributes ``signalpost.signal``, ``signalpost.sender`` and, a receiver's, ``signalpost.receiver``.
    What a receiver raises is recorded as an exception, and gives its span the status ERROR.

    `deny` names signals without spans, as patterns of `fnmatch`; by default `DENIED`. A span that
    took less than `minimum_ms` milliseconds is never ended, and so not exported.
    """

    def __init__(
        self,
        *,
        deny: Iterable[str] = DENIED,
        minimum_ms: float = 0.0,
        tracer_provider: trace.TracerProvider | None = None,
    ) -> None:
        self._deny = tuple(deny)
        self._minimum = minimum_ms / 1_000
        self._tracer = trace.get_tracer("signalpost", tracer_provider=tracer_provider)
        # The name of a signal, or None for one without spans. Looked up once: a name takes a search.
        self._names: WeakKeyDictionary[Any, str | None] = WeakKeyDictionary()

    def started(self, event: Event) -> None:
        """Begin the span, and make it what spans of the database and of others are in."""
        name = self._name(event.signal)
        if name is None:
            return
        attributes = {"signalpost.signal": name, "signalpost.sender": sent_by(event.sender)}
        title = name
        if event.receiver is not None:
            title = attributes["signalpost.receiver"] = receiver_name(event.receiver)
        span = self._tracer.start_span(title, attributes=attributes)
        token = context.attach(trace.set_span_in_context(span))
        event.notes[f"span of {id(self)}"] = (span, token)

    def finished(self, event: Event) -> None:
        """End the span, unless it was too short."""
        span, token = event.notes.pop(f"span of {id(self)}", (None, None))
        if span is None or token is None:
            return
        context.detach(token)
        if event.error is not None and span.is_recording():
            span.record_exception(event.error)
            span.set_status(Status(StatusCode.ERROR, type(event.error).__name__))
        span.set_attribute("signalpost.outcome", event.outcome)
        if (event.duration or 0.0) >= self._minimum:
            span.end()

    def _name(self, signal: Any) -> str | None:
        try:
            return self._names[signal]
        except KeyError:
            name = signal_name(signal)
        kept = None if any(fnmatchcase(name, pattern) for pattern in self._deny) else name
        self._names[signal] = kept
        return kept
