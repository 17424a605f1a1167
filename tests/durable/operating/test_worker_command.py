"""`manage.py signalpost worker` in this process: what it tells, and what it refuses."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connections

from signalpost import GiveUp, Retry, Signal
from signalpost.django.management.subcommands.progress import Line
from signalpost.django.models import Delivery
from signalpost.django.stores import store_for
from tests.durable.workers import until, working
from tests.store.models import Customer

sent = Signal(name="tests.worker_command.sent")


def work(sender: Any, number: int, **kwargs: Any) -> None:
    if number == 1:
        raise ValueError("the secret of number 1")
    if number == 2:
        raise GiveUp("the secret of number 2")
    if number == 3:
        raise Retry(after=60)


@pytest.fixture
def connected(database: str, on: Any) -> str:
    on(sent, durable="tests.work", queue="notes", using=database)(work)
    return database


def test_once_runs_what_is_due_and_stops(run: Any, database: str, order: Any) -> None:
    for number in range(3):
        order(number=number)
    ran = run("worker", "--once", "--concurrency", "2", "--database", database)
    started, stopped = ran.out.splitlines()
    assert started.endswith(f" works on all queues of database '{database}', in 2 threads.")
    assert stopped.endswith(": 3 done, 0 to be retried, 0 dead.")
    assert ran.err == ""
    assert not Delivery.objects.using(database).exists()


def test_quiet_worker_says_nothing(run: Any, database: str, order: Any) -> None:
    order(number=1)
    ran = run("worker", "--once", "--database", database, "-v", "0")
    assert (ran.out, ran.err) == ("", "")
    assert Customer.objects.using(database).count() == 1


def test_each_delivery_is_one_log_line_without_its_payload(
    run: Any, connected: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="signalpost.worker")
    for number in range(4):
        sent.send(None, number=number, password="hidden")
    ran = run("worker", "--once", "--database", connected)
    assert (ran.out, ran.err) == ("", "")  # it is in the log already
    lines = [each for each in caplog.records if hasattr(each, "delivery")]
    parts = ("signal", "receiver", "queue", "attempt")
    assert {tuple(getattr(line, part) for part in parts) for line in lines} == {
        ("tests.worker_command.sent", "tests.work", "notes", 1)
    }
    assert sorted((line.outcome, line.levelname, line.error) for line in lines) == [
        ("dead", "ERROR", "GiveUp"),
        ("done", "INFO", ""),
        ("retried", "INFO", "Retry"),
        ("retried", "WARNING", "ValueError"),
    ]
    done = next(line for line in lines if line.outcome == "done")
    assert done.getMessage() == (
        f"Delivery #{done.delivery} of signal 'tests.worker_command.sent' to 'tests.work': done, "
        f"attempt 1 of 12, {done.milliseconds:.1f} ms"
    )
    assert "secret" not in caplog.text
    assert "hidden" not in caplog.text
    assert [each.event for each in caplog.records if hasattr(each, "event")] == [
        "started",
        "stopped",
    ]


def test_log_that_raises_stops_no_delivery(
    run: Any, connected: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="signalpost.worker")
    logger = logging.getLogger("signalpost.worker")
    asked: list[bool] = []

    def refuse(record: logging.LogRecord) -> bool:
        if hasattr(record, "delivery"):
            asked.append(True)
            raise RuntimeError("no log today")
        return True

    logger.addFilter(refuse)
    try:
        sent.send(None, number=0)
        run("worker", "--once", "--database", connected)
    finally:
        logger.removeFilter(refuse)
    assert asked == [True]
    assert not Delivery.objects.using(connected).exists()


def test_receiver_that_may_outlast_the_lease_is_warned_of(run: Any, database: str, on: Any) -> None:
    on(sent, durable="tests.work", timeout=45, using=database)(work)
    args = ("worker", "--once", "--database", database)
    assert run(*args).err == ""
    assert run(*args, "--lease", "30").err.startswith(
        "Warning: Receiver 'tests.work' may run for 45 s, its timeout, but a worker's lease is 30 s: "
    )


def test_paused_queue_is_left_until_it_is_resumed(run: Any, database: str, order: Any) -> None:
    order(number=1)
    assert run("pause", "notes", "--database", database).out.startswith("Queue 'notes' is paused:")
    run("worker", "--once", "--database", database)
    assert not Customer.objects.using(database).exists()
    assert run("resume", "notes", "--database", database).out == "Queue 'notes' goes on.\n"
    run("worker", "--once", "--database", database)
    assert Customer.objects.using(database).count() == 1


def looks(database: str, monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """What a worker sees paused, each time that it looks."""
    seen: list[frozenset[str]] = []
    look = store_for(database).paused

    def paused() -> frozenset[str]:
        seen.append(look())
        return seen[-1]

    monkeypatch.setattr(store_for(database), "paused", paused)
    return seen


def test_running_worker_notices_that_a_queue_is_paused_and_resumed(
    run: Any, database: str, order: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = looks(database, monkeypatch)
    customers = Customer.objects.using(database)
    with working(database):
        order(number=0)
        until(lambda: customers.count() == 1)
        run("pause", "notes", "--database", database)
        # When it looks again, it has long gone by what it saw before.
        until(lambda: seen.count(frozenset({"notes"})) > 1)
        order(number=1)
        for begun in (tmp_path / "one", tmp_path / "another"):
            order(begun=str(begun), release=str(tmp_path))
            until(begun.exists)
        # Queues take turns, so that its own would have come before the last one.
        assert customers.count() == 1
        [left] = Delivery.objects.using(database).filter(lane="notes")
        assert (left.state, left.attempts) == ("ready", 0)
        run("resume", "notes", "--database", database)
        until(lambda: customers.count() == 2)
    assert not Delivery.objects.using(database).exists()


def test_unknown_queue_is_warned_of_with_the_nearest(run: Any, database: str, order: Any) -> None:
    ran = run("worker", "--once", "--queue", "note", "--queue", "held", "--database", database)
    [line] = ran.err.splitlines()
    assert line.startswith(
        "Warning: no queue 'note' is known here. Did you mean 'notes'? Known are "
    )


def test_unknown_database_is_refused_with_the_nearest(run: Any, database: str) -> None:
    with pytest.raises(CommandError) as refused:
        run("worker", "--database", f"{database}s")
    assert str(refused.value) == (
        f"--database {database}s is none of DATABASES, which has {', '.join(connections)}. "
        f"Did you mean '{database}'?"
    )


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--concurrency", "0"], "'0' is no number of threads, from 1 to 500."),
        (["--concurrency", "many"], "'many' is no number of threads, from 1 to 500."),
        (["--lease", "5"], "'5' is no number of seconds, from 10 to 86400."),
        (["--lease", "long"], "'long' is no number of seconds, from 10 to 86400."),
    ],
)
def test_impossible_option_is_refused(run: Any, args: list[str], text: str) -> None:
    with pytest.raises(CommandError, match=text):
        run("worker", *args)


@pytest.mark.django_db(databases=["file"])
def test_worker_is_not_started_on_an_unfit_sqlite(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dict(connections["file"].settings_dict["OPTIONS"], transaction_mode="DEFERRED")
    monkeypatch.setitem(connections["file"].settings_dict, "OPTIONS", options)
    with pytest.raises(CommandError) as refused:
        run("worker", "--once", "--database", "file")
    assert str(refused.value).startswith(
        "The worker isn't started:\n(signalpost.E003) Database 'file' is SQLite with "
        "transaction_mode 'DEFERRED': "
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def write(self, text: str, style: Any = None, ending: str = "") -> int:
        return super().write(text)


def test_progress_on_a_terminal_is_a_line_that_is_written_over() -> None:
    terminal, now = Terminal(), [0.0]
    with Line(terminal, clock=lambda: now[0]) as line:
        line.show("10 done")
        line.show("too soon")
        now[0] += 1
        line.show("11")
    assert terminal.getvalue() == "\r10 done\r11     \r  \r"


def test_progress_in_a_pipe_is_nothing() -> None:
    pipe = io.StringIO()
    with Line(pipe) as line:
        line.show("10 done")
    assert pipe.getvalue() == ""
