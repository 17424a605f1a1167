"""`manage.py signalpost retry`, `cancel`, `replay`, `pause` and `resume`."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError

from signalpost import Signal
from signalpost.django.models import Delivery, Message

ordered = Signal(name="tests.changing.ordered")


def mail(**kwargs: Any) -> None: ...


@pytest.fixture
def sent(database: str, on: Any) -> list[int]:
    """The ids of three deliveries."""
    on(ordered, durable="tests.mail", queue="mail", using=database)(mail)
    for number in range(3):
        ordered.send(None, number=number)
    rows = Delivery.objects.using(database).order_by("id")
    return list(rows.values_list("id", flat=True))


def states(database: str) -> list[str]:
    rows = Delivery.objects.using(database).order_by("id")
    return list(rows.values_list("state", flat=True))


def test_retry_by_id(run: Any, database: str, sent: list[int]) -> None:
    Delivery.objects.using(database).update(state="dead")
    ran = run("retry", str(sent[0]), str(sent[2]), "--database", database)
    assert (ran.out, ran.err) == ("Retried 2 deliveries.\n", "")
    assert states(database) == ["ready", "dead", "ready"]


@pytest.mark.parametrize(
    "selection",
    [
        ["--all"],
        ["--receiver", "tests.mail"],
        ["--queue", "mail"],
        ["--signal", "tests.changing.ordered"],
    ],
    ids=lambda selection: selection[0],
)
def test_cancel_by_selection(
    run: Any, database: str, sent: list[int], selection: list[str]
) -> None:
    ran = run("cancel", *selection, "--dry-run", "--database", database)
    assert (ran.out, states(database)) == ("Would cancel 3 deliveries.\n", ["ready"] * 3)
    assert run("cancel", *selection, "--database", database).out == "Cancelled 3 deliveries.\n"
    assert states(database) == ["cancelled"] * 3
    assert run("cancel", *selection, "--database", database).out == "Cancelled 0 deliveries.\n"


def test_dry_run_of_retry_counts_the_dead_only(run: Any, database: str, sent: list[int]) -> None:
    Delivery.objects.using(database).filter(id=sent[0]).update(state="dead")
    ran = run("retry", "--all", "--dry-run", "--database", database)
    assert ran.out == "Would retry 1 delivery.\n"
    assert states(database) == ["dead", "ready", "ready"]


@pytest.mark.parametrize("subcommand", ["retry", "cancel"])
@pytest.mark.parametrize("args", [[], ["1", "--all"]], ids=str)
def test_which_deliveries_has_to_be_said(
    run: Any, database: str, subcommand: str, args: list[str]
) -> None:
    with pytest.raises(CommandError) as refused:
        run(subcommand, *args, "--database", database)
    assert str(refused.value) == (
        "Say which deliveries: their ids, --receiver, --signal or --queue; or --all."
    )


def test_replay_by_id_and_by_signal(run: Any, database: str, sent: list[int]) -> None:
    Delivery.objects.using(database).all().delete()
    first = Message.objects.using(database).earliest("id").id
    ran = run("replay", str(first), "--database", database)
    assert (ran.out, ran.err) == ("Replayed 1 message: 1 delivery.\n", "")
    ran = run("replay", "--signal", "tests.changing.ordered", "--database", database)
    assert ran.out == "Replayed 3 messages: 2 deliveries.\n"
    assert states(database) == ["ready"] * 3


def test_replay_to_an_unknown_receiver_is_warned_of(
    run: Any, database: str, sent: list[int]
) -> None:
    args = ("--signal", "tests.changing.ordered", "--receiver", "tests.mial")
    ran = run("replay", *args, "--database", database)
    assert ran.out == "Replayed 3 messages: 0 deliveries.\n"
    assert ran.err.startswith(
        "Warning: no receiver 'tests.mial' is known here. Did you mean 'tests.mail'? Known are "
    )


def test_what_to_replay_has_to_be_said(run: Any, database: str) -> None:
    with pytest.raises(CommandError) as refused:
        run("replay", "--database", database)
    assert str(refused.value) == "Say what to replay: the ids of messages, or --signal NAME."


def test_pause_of_a_paused_queue_says_so(run: Any, database: str, sent: list[int]) -> None:
    args = ("pause", "mail", "--database", database)
    assert run(*args).out == (
        "Queue 'mail' is paused: workers claim no more of it within a second, and finish what they "
        "have claimed.\n"
    )
    assert run(*args) == (0, "Queue 'mail' was paused already.\n", "")


def test_resume_of_a_queue_that_is_not_paused_is_refused(run: Any, database: str) -> None:
    with pytest.raises(CommandError) as refused:
        run("resume", "mail", "--database", database)
    assert str(refused.value) == "Queue 'mail' isn't paused. None is."
    run("pause", "mail", "--database", database)
    with pytest.raises(CommandError) as refused:
        run("resume", "mial", "--database", database)
    assert str(refused.value) == "Queue 'mial' isn't paused. Paused are mail."
