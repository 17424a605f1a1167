"""The observers that the settings name, and what they cost Django."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models.signals import post_delete, post_save
from django.test.utils import CaptureQueriesContext

import signalpost
from signalpost.dispatch import hooks, observing
from signalpost.django import observers
from signalpost.django.settings import SETTINGS
from signalpost.django.toolbar import CountingRecorder
from signalpost.otel import SpanObserver
from signalpost.tracing import LogObserver, Recorder, observe
from tests.store.models import Customer, Token


@pytest.fixture
def installed() -> Any:
    before = observing._everywhere
    yield
    for observer in observing._everywhere[len(before) :]:
        observing.remove(observer)
    assert (observing._everywhere, hooks.observe) == (before, None)


def test_named_by_path_or_with_arguments(installed: None) -> None:
    observers.install(
        ["signalpost.tracing.LogObserver", ("signalpost.tracing.Recorder", {"limit": 3})]
    )

    log, recorder = observing._everywhere[-2:]
    assert isinstance(log, LogObserver)
    assert isinstance(recorder, Recorder)
    assert recorder.limit == 3


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("signalpost.tracing.Logger", "'signalpost.tracing.Logger' that SIGNALPOST"),
        ("no.such.module", "No module named 'no'"),
        (("signalpost.tracing.Recorder", {"size": 3}), "unexpected keyword argument 'size'"),
        ("collections.Counter", "makes a Counter without a method 'started'"),
    ],
)
def test_one_that_cannot_be_made(item: Any, text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=text):
        observers.install([item])


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("OBSERVERS", [[], ["a.b"], [("a.b", {"c": 1})]], ["a.b", ["ab"], [("a.b",)], [1], None]),
        ("TRACE", [True, False, None], ["yes", 1]),
    ],
)
def test_what_the_settings_may_be(name: str, good: Any, bad: Any) -> None:
    assert [SETTINGS[name].accepts(value) for value in good] == [True] * len(good)
    assert [SETTINGS[name].accepts(value) for value in bad] == [False] * len(bad)


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "field"), [(Token, "value"), (Customer, "name")])
def test_20000_rows_are_deleted_in_as_few_queries_with_every_observer(
    model: Any, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    def delete() -> int:
        model.objects.bulk_create([model(**{field: str(n)}) for n in range(20_000)])
        with CaptureQueriesContext(connection) as queries:
            deleted, _ = model.objects.all().delete()
        assert deleted == 20_000
        return len(queries)

    alone = delete()
    counting = CountingRecorder()
    with (
        caplog.at_level(logging.DEBUG),
        observe(LogObserver()),
        observe(SpanObserver()),
        observe(Recorder()),
        observe(counting, here=True),
    ):
        observed = delete()
        assert not post_delete.has_listeners(model)
        assert not post_save.has_listeners(model)
    counting.close()

    assert observed == alone
    assert model is Customer or alone == 1  # what others refer to takes more


@pytest.mark.django_db
def test_users_execute_wrappers_are_their_own_and_a_closed_recorder_keeps_nothing() -> None:
    def mine(execute: Any, *args: Any) -> Any:
        return execute(*args)

    def query(**kwargs: Any) -> None:
        Customer.objects.count()

    sent = signalpost.Signal()
    sent.connect(query)
    counting = CountingRecorder()
    with observe(counting), connection.execute_wrapper(mine):
        sent.send(None)
        assert [event.notes["queries"] for event in counting.events] == [1, 1]
    assert mine not in connection.execute_wrappers
    counting.close()
    assert connection.execute_wrappers == []

    with observe(counting):
        sent.send(None)
    assert len(counting.events) == 2
    assert connection.execute_wrappers == []


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_a_commit_and_what_does_not() -> None:
    def mail(**kwargs: Any) -> None: ...

    sent = signalpost.Signal()
    sent.connect(mail, on_commit=True)
    with observe(Recorder()) as outside:
        sent.send(None)
    with observe(Recorder()) as inside, transaction.atomic():
        sent.send(None)
        waiting = [event.outcome for event in inside.events]

    assert [event.outcome for event in outside.events] == ["returned"] * 3
    assert waiting == ["returned", "waits for commit"]
    assert [event.outcome for event in inside.events] == [*waiting, "returned"]
    assert inside.events[2].parent is inside.events[1]
