"""Spans of OpenTelemetry's own SDK."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.signals import post_init
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import signalpost
from signalpost.otel import SpanObserver
from signalpost.tracing import observe
from tests.store.models import Customer

outer, inner = signalpost.Signal(name="outer"), signalpost.Signal(name="inner")


class Exported:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def spans(self) -> dict[str, Any]:
        return {span.name.rpartition(".")[2]: span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def exported() -> Exported:
    return Exported()


@pytest.fixture(autouse=True)
def receivers(exported: Exported) -> Any:
    def nests(**kwargs: Any) -> None:
        with exported.provider.get_tracer("database").start_as_current_span("query"):
            inner.send(str)

    def fails(**kwargs: Any) -> None:
        raise ValueError("no")

    outer.connect(nests)
    inner.connect(fails, on_error="log")
    yield
    outer.receivers, inner.receivers = [], []


def parents(spans: dict[str, Any]) -> dict[str, str | None]:
    names = {span.context.span_id: name for name, span in spans.items()}
    return {
        name: names[span.parent.span_id] if span.parent else None for name, span in spans.items()
    }


def test_spans_are_nested_as_the_receivers_are(exported: Exported) -> None:
    with observe(SpanObserver(tracer_provider=exported.provider)):
        outer.send(None)

    spans = exported.spans()
    assert parents(spans) == {
        "outer": None,
        "nests": "outer",
        "query": "nests",
        "inner": "query",
        "fails": "inner",
    }
    assert dict(spans["fails"].attributes) == {
        "signalpost.signal": "inner",
        "signalpost.sender": "builtins.str",
        "signalpost.receiver": spans["fails"].name,
        "signalpost.outcome": "raised",
    }
    assert spans["fails"].status.status_code is trace.StatusCode.ERROR
    assert spans["fails"].events[0].attributes["exception.type"] == "ValueError"
    assert spans["inner"].status.status_code is trace.StatusCode.UNSET


def test_denied_signals_have_no_spans(exported: Exported) -> None:
    with observe(SpanObserver(deny=["inn*"], tracer_provider=exported.provider)):
        outer.send(None)

    assert parents(exported.spans()) == {"outer": None, "nests": "outer", "query": "nests"}


def test_djangos_init_signals_are_denied_by_default(exported: Exported) -> None:
    def loaded(**kwargs: Any) -> None: ...

    post_init.connect(loaded, sender=Customer)
    try:
        with observe(SpanObserver(tracer_provider=exported.provider)):
            Customer(name="Ada")
    finally:
        post_init.disconnect(loaded, sender=Customer)

    assert exported.spans() == {}


def test_short_ones_are_not_exported(exported: Exported) -> None:
    with observe(SpanObserver(minimum_ms=60_000, tracer_provider=exported.provider)):
        outer.send(None)

    assert set(exported.spans()) == {"query"}
    assert not trace.get_current_span().is_recording()


def test_no_spans_once_it_has_ended(exported: Exported) -> None:
    with observe(SpanObserver(tracer_provider=exported.provider)):
        pass
    outer.send(None)

    assert set(exported.spans()) == {"query"}
