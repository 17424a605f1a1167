"""The observer behind the map: what it counts, and when it looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import Context
from typing import Any

import pytest
from django.core.signals import request_finished, request_started

from signalpost.dispatch import hooks
from signalpost.django.mapping import live as module
from signalpost.django.mapping.live import Live
from tests.map import wiring

HERE = "tests.map.wiring"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def looking(clock: Clock) -> Iterator[Live]:
    observer = Live(clock)
    yield observer
    observer.stop()


def ask(looking: Live, since: int = 0, run: str = "") -> dict[str, Any]:
    """As a page does: in a context of its own."""
    return Context().run(looking.poll, run, since)


def told(answer: dict[str, Any], signal: str = "paid") -> dict[str | None, dict[str, Any]]:
    return {row["receiver"]: row for row in answer["rows"] if row["signal"] == f"{HERE}.{signal}"}


# What waits for the commit asks the database whether there is a transaction.
pytestmark = [pytest.mark.usefixtures("wired"), pytest.mark.django_db]


def test_nobody_observes_until_somebody_asks(looking: Live) -> None:
    assert not looking.is_observing
    ask(looking)
    assert looking.is_observing
    assert hooks.observe is not None


def test_nobody_observes_when_nobody_asks_any_more(looking: Live, clock: Clock) -> None:
    ask(looking)
    clock.now += module.SECONDS_TO_OBSERVE + 1
    wiring.hostile.send(sender=None)

    assert not looking.is_observing
    assert hooks.observe is None


def test_counts_and_times_add_up(looking: Live) -> None:
    ask(looking)
    for _ in range(3):
        wiring.paid.send(sender=wiring.Order, order=1)
    rows = told(ask(looking))

    assert {name: row["count"] for name, row in rows.items()} == {
        None: 3,
        f"{HERE}.ship": 3,
        f"{HERE}.mail_receipt": 3,
        f"{HERE}.reserve": 0,
    }
    assert rows[f"{HERE}.reserve"]["waits"] == 3
    assert rows[None]["total_ms"] >= rows[None]["last_ms"] > 0


def test_failures_count(looking: Live) -> None:
    wiring.hostile.connect(wiring.fail)
    ask(looking)
    wiring.hostile.send_robust(sender=None)
    answer = ask(looking)

    failures = {row["receiver"]: row["failures"] for row in answer["rows"]}
    assert failures[f"{HERE}.fail"] == 1
    assert failures[f"{HERE}.ship"] == 0


def test_line_that_sent_is_told(looking: Live) -> None:
    ask(looking)
    wiring.paid.send(sender=wiring.Order, order=1)
    row = told(ask(looking))[None]

    assert row["place"].partition(":")[0].endswith("tests/map/test_live.py")
    assert row["place"].endswith(" in test_line_that_sent_is_told")
    assert row["sender"] == f"{HERE}.Order"


def test_receiver_that_sends_is_told(looking: Live) -> None:
    wiring.paid.disconnect(wiring.reserve)
    wiring.paid.connect(wiring.reserve)
    ask(looking)
    wiring.paid.send(sender=None, order=1)

    [sent] = [
        row
        for row in ask(looking)["rows"]
        if row["signal"] == wiring.HOSTILE and not row["receiver"]
    ]
    assert sent["cause"] == f"{HERE}.reserve"


def test_senders_that_are_no_classes_are_told_by_their_class(looking: Live) -> None:
    class Comment:
        def __repr__(self) -> str:
            raise AssertionError("a repr may ask the database")

    ask(looking)
    wiring.hostile.send(sender=Comment())
    [sender] = {row["sender"] for row in ask(looking)["rows"]}

    assert sender.endswith(".Comment")


def test_pages_ask_independently(looking: Live) -> None:
    run = ask(looking)["run"]
    wiring.hostile.send(sender=None)
    one = ask(looking, 0, run)
    wiring.hostile.send(sender=wiring.Order)

    assert {row["sender"] for row in ask(looking, one["cursor"], run)["rows"]} == {f"{HERE}.Order"}
    assert {row["sender"] for row in ask(looking, 0, run)["rows"]} == {None, f"{HERE}.Order"}


def test_cursor_of_another_run_is_the_beginning(looking: Live, clock: Clock) -> None:
    old = ask(looking)["run"]
    clock.now += module.SECONDS_TO_OBSERVE + 1
    wiring.hostile.send(sender=None)
    new = ask(looking, 99, old)
    wiring.hostile.send(sender=None)

    assert new["run"] != old
    assert new["rows"] == []
    assert len(ask(looking, 99, old)["rows"]) == 2


def test_rows_are_bounded(looking: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS", 4)
    ask(looking)
    for number in range(10):
        wiring.hostile.send(sender=type(f"Sender{number}", (), {}))
    rows = ask(looking)["rows"]

    assert len(rows) <= 6
    assert sum(row["count"] for row in rows if row["receiver"] is None) == 10


def test_threads_lose_nothing(looking: Live) -> None:
    ask(looking)

    def send() -> None:
        for _ in range(200):
            wiring.hostile.send(sender=None)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(row["count"] for row in ask(looking)["rows"] if not row["receiver"]) == 800


# -------------------------------------------------------------------------------------- requests


def request(looking: Live, *, own: bool) -> None:
    """What a server does, with a send in the middle."""
    request_started.send(sender=None, environ={})
    if own:
        looking.leave_out()
    wiring.hostile.send(sender=None)
    request_finished.send(sender=None)


def test_requests_of_pages_are_left_out(looking: Live, clock: Clock) -> None:
    ask(looking)
    Context().run(request, looking, own=True)
    clock.now += 1

    assert ask(looking)["rows"] == []


def test_other_requests_are_told_as_soon_as_it_is_known_whose_they_are(
    looking: Live, clock: Clock
) -> None:
    ask(looking)
    Context().run(request, looking, own=False)
    early = ask(looking)
    clock.now += 0.06
    late = ask(looking)

    assert early["rows"] == []
    assert {row["signal"] for row in late["rows"]} == {
        wiring.HOSTILE,
        "django.core.signals.request_started",
        "django.core.signals.request_finished",
    }


def test_first_question_leaves_its_own_request_out(looking: Live) -> None:
    def first() -> None:
        request_started.send(sender=None, environ={})
        looking.poll("", 0)
        request_finished.send(sender=None)

    Context().run(first)

    assert ask(looking)["rows"] == []
