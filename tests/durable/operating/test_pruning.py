"""`manage.py signalpost prune`: what is settled goes, and nothing else, whatever runs beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connections
from django.test import override_settings

from signalpost import Signal
from signalpost.delivery.store import Beat
from signalpost.delivery.worker import Settings
from signalpost.django.models import Delivery, Message, Worker
from signalpost.django.operating import pruning
from signalpost.django.operating.actions import replay
from signalpost.django.stores import store_for
from signalpost.django.working import make_worker
from signalpost.testing import drain

ordered = Signal(name="tests.pruning.ordered")
seen: list[int] = []


def mail(sender: Any, number: int, **kwargs: Any) -> None:
    seen.append(number)


@pytest.fixture
def send(database: str, on: Any) -> Callable[[int], None]:
    seen.clear()
    on(ordered, durable="tests.mail", using=database)(mail)

    def send(count: int) -> None:
        for number in range(count):
            ordered.send(None, number=number)

    return send


def age(database: str, days: float) -> None:
    """Have all that is there happened so long ago."""
    for message in Message.objects.using(database):
        Message.objects.using(database).filter(id=message.id).update(
            created_at=message.created_at - timedelta(days=days)
        )
    for delivery in Delivery.objects.using(database).exclude(settled_at=None):
        Delivery.objects.using(database).filter(id=delivery.id).update(
            settled_at=delivery.settled_at - timedelta(days=days)
        )


def left(database: str) -> tuple[int, list[str]]:
    rows = Delivery.objects.using(database).order_by("id").values_list("state", flat=True)
    return Message.objects.using(database).count(), list(rows)


def test_done_message_is_kept_for_14_days(run: Any, database: str, send: Any) -> None:
    send(2)
    drain(database)
    age(database, 13.9)
    args = ("prune", "--database", database)
    assert run(*args) == (0, "Deleted 0 messages and 0 deliveries.\n", "")
    age(database, 0.2)
    assert run(*args, "--dry-run").out == "Would delete 2 messages and 0 deliveries.\n"
    assert left(database) == (2, [])
    assert run(*args).out == "Deleted 2 messages and 0 deliveries.\n"
    assert left(database) == (0, [])


def test_retention_is_what_the_setting_or_the_option_says(
    run: Any, database: str, send: Any
) -> None:
    send(1)
    drain(database)
    age(database, 3)
    args = ("prune", "--dry-run", "--database", database)
    with override_settings(SIGNALPOST={"RETENTION": 2}):
        assert run(*args).out == "Would delete 1 message and 0 deliveries.\n"
        assert run(*args, "--older-than", "4").out == "Would delete 0 messages and 0 deliveries.\n"
    assert run(*args, "--older-than", "2.5").out == "Would delete 1 message and 0 deliveries.\n"


@pytest.mark.parametrize("state", ["ready", "claimed", "blocked", "dead"])
def test_prune_never_touches_an_unsettled_row(
    run: Any, database: str, send: Any, state: str
) -> None:
    send(2)
    rows = Delivery.objects.using(database)
    rows.update(state=state, settled_at=rows.earliest("id").available_at)
    age(database, 1000)
    args = ("prune", "--older-than", "0", "--database", database)
    assert run(*args, "--dry-run").out == "Would delete 0 messages and 0 deliveries.\n"
    assert run(*args).out == "Deleted 0 messages and 0 deliveries.\n"
    assert left(database) == (2, [state, state])


def test_cancelled_delivery_goes_with_its_message(run: Any, database: str, send: Any) -> None:
    send(3)
    ids = [str(each.id) for each in Delivery.objects.using(database).order_by("id")]
    run("cancel", *ids[:2], "--database", database)
    age(database, 15)
    assert run("prune", "--dry-run", "--database", database).out == (
        "Would delete 2 messages and 2 deliveries.\n"
    )
    assert run("prune", "--database", database).out == "Deleted 2 messages and 2 deliveries.\n"
    assert left(database) == (1, ["ready"])


def test_message_stays_while_one_of_its_receivers_is_owed_it(
    run: Any, database: str, send: Any, on: Any
) -> None:
    @on(ordered, durable="tests.slow", queue="slow", using=database)
    def slow(**kwargs: Any) -> None: ...

    send(1)
    drain(database, queue="default")
    age(database, 15)
    assert run("prune", "--database", database).out == "Deleted 0 messages and 0 deliveries.\n"
    assert left(database) == (1, ["ready"])


def test_prune_works_in_batches_with_progress(
    database: str, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    send(5)
    drain(database)
    told: list[int] = []
    pruned = pruning.prune(database, days=0, progress=lambda done: told.append(done.messages))
    assert (pruned, told) == (pruning.Pruned(0, 5), [2, 4, 5])


def test_prune_forgets_workers_that_were_lost(run: Any, database: str) -> None:
    store_for(database).beat(Beat("lost", "host", 1, "1", (), {}))
    args = ("prune", "--older-than", "0", "--database", database)
    run(*args)
    assert Worker.objects.using(database).exists()
    rows = Worker.objects.using(database)
    rows.update(heartbeat_at=rows.get().heartbeat_at - timedelta(days=1.1))
    run(*args)
    assert not Worker.objects.using(database).exists()


def test_retention_beside_claims_loses_nothing(database: str, send: Any) -> None:
    send(60)
    ended = threading.Event()

    def prune_on() -> None:
        try:
            while not ended.is_set():
                pruning.prune(database, days=0)
        finally:
            connections.close_all()

    pruner = threading.Thread(target=prune_on)
    pruner.start()
    try:
        stats = make_worker(database, Settings(once=True, batch=7)).run()
    finally:
        ended.set()
        pruner.join()
    assert sorted(seen) == list(range(60))
    assert (stats.done, stats.dead) == (60, 0)
    pruning.prune(database, days=0)
    assert left(database) == (0, [])


def test_message_that_is_replayed_meanwhile_is_not_deleted(
    database: str, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(1)
    drain(database)
    delete = pruning._delete_unowed

    def replay_first(store: Any, ids: Any) -> int:
        assert replay(database, ids) == 1
        return delete(store, ids)

    monkeypatch.setattr(pruning, "_delete_unowed", replay_first)
    assert pruning.prune(database, days=0) == pruning.Pruned(0, 0)
    assert left(database) == (1, ["ready"])


@pytest.mark.parametrize("days", ["-1", "nan", "soon"])
def test_impossible_age_is_refused(run: Any, days: str) -> None:
    with pytest.raises(CommandError, match=f"'{days}' is no number of days."):
        run("prune", f"--older-than={days}")
