"""What staff do to deliveries in the admin: asked first, done once, and noted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import resolve

from signalpost.delivery.running import Runner
from signalpost.django.admin import deliveries, operations
from signalpost.django.models import Delivery, Message
from signalpost.django.stores import store_for
from signalpost.django.working import ConnectionChecks, policy_for
from signalpost.testing import drain
from tests.durable.admin_site import (
    Staff,
    admin_installed,
    boss,
    log,
    outcome_of,
    owed,
    paid,
    rows,
    states,
)
from tests.durable.workers import affect, effects

sqlite = pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])


class Note:
    """A receiver that fails for as long as it is told to."""

    def __init__(self) -> None:
        self.fails = False
        self.seen: list[int] = []

    def __call__(self, number: int, **kwargs: Any) -> None:
        if self.fails:
            raise ValueError("not now")
        self.seen.append(number)


@pytest.fixture
def note(database: str, on: Any) -> Note:
    made = Note()

    @on(paid, durable="tests.admin.note", using=database, max_attempts=1, key="number")
    def note(number: int, **kwargs: Any) -> None:
        made(number)

    return made


@pytest.fixture
def user(database: str, note: Note) -> Iterator[Staff]:
    with admin_installed():
        yield boss(database)


def ask(user: Staff, operation: str, *ids: Any, model: str = "delivery") -> str:
    """What the confirmation says."""
    posted = {"ids": ",".join(map(str, ids))}
    answer = user.client.post(user.address(f"{operation}/", model), posted)
    assert answer.status_code == 200
    return outcome_of(answer.content.decode())


def choose(user: Staff, operation: str, *ids: int, model: str = "delivery", **more: Any) -> Any:
    """Choose rows in the list, and the action."""
    posted = {"action": operation, "_selected_action": ids, "index": "0", **more}
    return user.client.post(user.address("", model), posted, follow=True)


# ----------------------------------------------------------------------------- one after the other


def test_dead_delivery_is_requeued_and_runs(database: str, note: Note, user: Staff) -> None:
    [one] = owed(database)
    note.fails = True
    drain(database, raises=False)
    assert states(database) == ["dead"]
    note.fails = False

    asked = ask(user, "requeue", one)
    assert states(database) == ["dead"]
    assert user.operate("requeue", one) == "Requeued 1 delivery."
    assert drain(database).done == 1

    assert asked.startswith("1 delivery")
    assert f"#{one} tests.admin.note dead" in asked
    assert note.seen == [0]
    assert log()[0][1:] == (f"#{one} tests.admin.note dead", f"Requeued on database '{database}'.")


def test_cancelled_delivery_never_runs(database: str, note: Note, user: Staff) -> None:
    first, _ = owed(database, 2)

    asked = ask(user, "cancel", first)
    assert states(database) == ["ready", "ready"]
    assert user.operate("cancel", first) == "Cancelled 1 delivery."
    assert drain(database).done == 1

    assert "The receivers will not be called any more." in asked
    assert (states(database), note.seen) == (["cancelled"], [1])


def test_message_is_replayed(database: str, note: Note, user: Staff) -> None:
    owed(database)
    drain(database)
    message = Message._base_manager.using(database).get().pk

    asked = ask(user, "replay", message, model="message")
    assert states(database) == []
    assert user.operate("replay", message, model="message") == "Replayed 1 message."
    assert drain(database).done == 1

    assert "Connected here: tests.admin.note." in asked
    assert note.seen == [0, 0]
    assert [entry[2] for entry in log()] == [f"Replayed on database '{database}'."]


@sqlite
def test_message_that_is_owed_already_is_not_replayed(
    database: str, note: Note, user: Staff
) -> None:
    owed(database)
    message = Message._base_manager.using(database).get().pk

    assert user.operate("replay", message, model="message") == (
        "Replayed 0 messages. Of 1 it did nothing: no receiver that is connected here wants it and "
        "isn’t owed it already."
    )
    assert (states(database), log()) == (["ready"], [])


@sqlite
def test_requeued_twice_is_requeued_once(database: str, user: Staff) -> None:
    [one] = owed(database, state="dead")

    user.operate("requeue", one)
    before = rows(database).values().get()
    assert user.operate("requeue", one) == (
        "Requeued 0 deliveries. Of 1 it did nothing: only what is dead is requeued."
    )
    assert rows(database).values().get() == before
    assert len(log()) == 1


@sqlite
@pytest.mark.parametrize("operation", ["requeue", "cancel"])
def test_what_is_running_is_left_alone(database: str, user: Staff, operation: str) -> None:
    [one] = owed(database, state="claimed", claimed_by="w", fence=3)
    before = rows(database).values().get()

    assert ask(user, operation, one).startswith("There is nothing to do:")
    assert user.operate(operation, one).startswith(("Requeued 0", "Cancelled 0"))
    assert rows(database).values().get() == before
    assert log() == []


# ------------------------------------------------------------------------------------- the choice


def test_choice_in_the_list_is_confirmed_first(database: str, user: Staff) -> None:
    dead = owed(database, 3, state="dead")
    others = owed(database, 2)

    page = choose(user, "requeue", *dead[:2], *others).content.decode()
    asked = outcome_of(page)

    assert asked.startswith("2 deliveries")
    assert "on database" in asked
    assert "Nothing happens to 2 others that you chose: only what is dead is requeued." in asked
    assert f'value="{dead[1]},{dead[0]}"' in page
    assert states(database) == ["dead"] * 3 + ["ready"] * 2


@sqlite
def test_all_that_a_filter_finds_can_be_chosen(database: str, user: Staff) -> None:
    dead = owed(database, 4, state="dead")
    owed(database, 2)
    posted = {"action": "requeue", "_selected_action": dead[:1], "select_across": "1"}

    page = user.client.post(f"{user.address()}?state=dead", posted).content.decode()

    assert "<strong>4 deliveries</strong>" in page
    assert "_changelist_filters=state%3Ddead" in page  # to come back to


@sqlite
def test_filters_are_there_again_afterwards(database: str, user: Staff) -> None:
    [one] = owed(database, state="dead")
    address = user.address("requeue/") + "?_changelist_filters=state%3Ddead"

    answer = user.client.post(address, {"ids": one, "confirmed": "yes"})
    assert answer["Location"] == user.address("?state=dead")


@sqlite
def test_where_to_go_cannot_be_chosen_from_outside(database: str, user: Staff) -> None:
    address = user.address("requeue/") + "?_changelist_filters=https://evil.example/&next=//evil"

    answer = user.client.post(address, {"ids": "1", "confirmed": "yes"})
    assert answer["Location"].startswith(user.address())


@sqlite
@pytest.mark.parametrize("ids", ["", ",", "x", "-1", "1e3", "٣", "' OR 1=1", "9" * 40, "0x1"])
@pytest.mark.parametrize("operation", ["requeue", "cancel"])
def test_no_choice_is_not_all(database: str, user: Staff, operation: str, ids: str) -> None:
    owed(database, 2, state="dead")
    before = list(rows(database).values())

    assert user.operate(operation, ids) == "No deliveries were chosen. Nothing was changed."
    assert list(rows(database).values()) == before


@sqlite
def test_what_was_confirmed_is_what_is_done(database: str, user: Staff) -> None:
    mine = owed(database, 2, state="dead")
    owed(database, state="dead")  # while the page was read

    assert user.operate("requeue", *mine) == "Requeued 2 deliveries."
    assert states(database) == ["ready", "ready", "dead"]


@sqlite
def test_delivery_that_is_gone_is_told_of(database: str, user: Staff) -> None:
    [one] = owed(database, state="dead")

    assert user.operate("requeue", one, one + 1000) == (
        "Requeued 1 delivery. Of 1 it did nothing: only what is dead is requeued."
    )


@sqlite
def test_too_many_are_for_the_command(
    database: str, user: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "AT_ONCE", 2)
    ids = owed(database, 3, state="dead")
    told = (
        "More than 2 deliveries were chosen. Choose fewer, or run: manage.py signalpost retry Nothing "
        "was changed."
    )

    assert user.operate("requeue", *ids) == told
    assert told in choose(user, "requeue", *ids).content.decode()
    assert states(database) == ["dead"] * 3


@sqlite
def test_long_choice_is_listed_in_part(database: str, user: Staff) -> None:
    ids = owed(database, 23, state="dead")

    asked = ask(user, "requeue", *ids)
    assert asked.count("tests.admin.note dead") == 20
    assert "and 3 more" in asked


# -------------------------------------------------------------------------------------- the audit


@sqlite
def test_each_delivery_has_its_entry_of_who_did_it(database: str, user: Staff) -> None:
    ids = owed(database, 3, state="dead")

    user.operate("requeue", *ids[:2])
    user.operate("cancel", ids[2])

    where = f"on database '{database}'."
    assert log() == [
        ("boss", f"#{ids[0]} tests.admin.note dead", f"Requeued {where}"),
        ("boss", f"#{ids[1]} tests.admin.note dead", f"Requeued {where}"),
        ("boss", f"#{ids[2]} tests.admin.note dead", f"Cancelled {where}"),
    ]
    assert f"Cancelled {where}" in user.open(f"{ids[2]}/history/").replace("&#x27;", "'")


@sqlite
def test_what_was_done_before_an_error_is_noted(
    database: str, user: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = owed(database, 2, state="dead")
    retry = deliveries.actions.retry

    def breaks(alias: str, selection: Any) -> int:
        if selection.ids == (ids[1],):
            raise ConnectionError("gone")
        return retry(alias, selection)

    monkeypatch.setattr(deliveries.actions, "retry", breaks)
    with pytest.raises(ConnectionError, match="gone"):
        user.operate("requeue", *ids)

    assert states(database) == ["ready", "dead"]
    assert [entry[1] for entry in log()] == [f"#{ids[0]} tests.admin.note dead"]


@sqlite
@pytest.mark.parametrize(
    ("operation", "model"), [("requeue", "delivery"), ("cancel", "delivery"), ("replay", "message")]
)
def test_no_transaction_is_around_them_all(
    database: str, user: Staff, operation: str, model: str
) -> None:
    # What Django looks at where ATOMIC_REQUESTS is set.
    view: Any = resolve(user.address(f"{operation}/", model)).func
    assert view._non_atomic_requests == {database}


# --------------------------------------------------------------------------------------- deleting


def message_of(alias: str, delivery: int) -> int:
    return int(rows(alias).get(pk=delivery).message_id)


@pytest.mark.parametrize("state", ["claimed", "dead"])
def test_admin_delete_of_a_claimed_row_is_impossible(
    database: str, user: Staff, state: str
) -> None:
    [one] = owed(database, state=state, claimed_by="w")
    before, message = list(rows(database).values()), message_of(database, one)

    for model, pk in (("delivery", one), ("message", message)):
        assert "delete_selected" not in user.open(model=model)
        user.status("", model, action="delete_selected", _selected_action=str(pk), post="yes")
        assert user.status(f"{pk}/delete/", model, post="yes") == 403
    assert list(rows(database).values()) == before
    assert Message._base_manager.using(database).filter(pk=message).exists()


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("model", [Delivery, Message], ids=["delivery", "message"])
def test_row_that_is_deleted_while_it_is_claimed_settles_nothing(
    database: str, on: Any, caplog: pytest.LogCaptureFixture, atomic: bool, model: Any
) -> None:
    @on(paid, durable="tests.admin.other", using=database, atomic=atomic)
    def other(number: int, **kwargs: Any) -> None:
        ran.append(number)
        affect(database, number)

    ran: list[int] = []
    kept, gone = owed(database, 2)
    store = store_for(database)
    claim = store.claim("default", limit=10, owner="w", lease=60)
    doomed = rows(database).get(pk=gone)
    (doomed if model is Delivery else doomed.message).delete(using=database)

    runner = Runner(store, policy_for(database), checks=ConnectionChecks())
    with caplog.at_level(logging.WARNING, "signalpost.worker"):
        runner.run(claim, runner.clock() + 60)

    assert not rows(database).exists()
    # Of the atomic receiver what it did for the one that was deleted is undone; it ran nevertheless.
    assert ran == ([0, 1, 0, 1] if atomic else [0, 1])  # together first, then one by one
    assert effects(database) == ([0] if atomic else [0, 1])
    messages = Message._base_manager.using(database).count()
    assert messages == (2 if model is Delivery else 1)
    assert [each.id for each in claim.owed] == [kept, gone]
    assert len(caplog.messages) == 1
    assert "taken over" in caplog.messages[0]
