"""Who may do what in the admin, and what nobody may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from signalpost.django.models import Delivery, Message
from tests.durable.admin_site import (
    Staff,
    admin_installed,
    boss,
    change_message,
    log,
    owed,
    paid,
    rows,
    staff,
    states,
    working,
)

pytestmark = pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])
EVERYTHING = ("delivery", "message", "worker")
SECRET = "a letter to Ada"


@pytest.fixture(autouse=True)
def site(database: str, on: Any) -> Iterator[None]:
    @on(paid, durable="tests.admin.note", using=database, max_attempts=1)
    def note(**kwargs: Any) -> None: ...

    with admin_installed():
        yield


@pytest.fixture
def dead(database: str) -> int:
    [found] = owed(database, state="dead", last_error="ValueError: no")
    return found


def message_of(alias: str, delivery: int) -> int:
    return int(rows(alias).get(pk=delivery).message_id)


# ------------------------------------------------------------------------------------------- who


@pytest.mark.parametrize("model", EVERYTHING)
def test_anonymous_is_sent_to_log_in(database: str, dead: int, model: str) -> None:
    visitor = Staff(database, Client(), None)

    for name in ("", f"{dead}/change/", f"{dead}/history/", f"{dead}/delete/", "add/"):
        answer = visitor.client.get(visitor.address(name, model))
        assert answer.status_code == 302
        assert answer["Location"].startswith(f"/{database}/login/")


@pytest.mark.parametrize("name", ["requeue", "cancel"])
def test_anonymous_can_do_nothing(database: str, dead: int, name: str) -> None:
    visitor = Staff(database, Client(), None)

    assert visitor.status(f"{name}/", ids=str(dead), confirmed="yes") == 302
    assert states(database) == ["dead"]
    assert log() == []


@pytest.mark.parametrize("model", EVERYTHING)
def test_staff_without_permission_sees_nothing(database: str, dead: int, model: str) -> None:
    ann = staff(database)

    assert ann.status(model=model) == 403
    assert ann.status(f"{dead}/change/", model) == 403
    index = ann.client.get(f"/{database}/").content.decode()
    assert f"/signalpost/{model}/" not in index


def test_who_may_view_is_offered_nothing_else(database: str, dead: int) -> None:
    ann = staff(database, "view_delivery", "view_message")

    listed, page = ann.open(), ann.open(f"{dead}/change/")
    message = ann.open(f"{message_of(database, dead)}/change/", "message")
    assert f"#{dead}" in listed
    for text in (listed, page, message, ann.open(model="message")):
        assert 'name="action"' not in text
        assert "formaction" not in text
        assert ">Save" not in text
        assert "Delete" not in text


@pytest.mark.parametrize(
    ("name", "model"), [("requeue", "delivery"), ("cancel", "delivery"), ("replay", "message")]
)
@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}])
def test_each_operation_needs_its_own_permission(
    database: str, dead: int, name: str, model: str, confirmed: dict[str, str]
) -> None:
    others = {"requeue_delivery", "cancel_delivery", "replay_message"} - {f"{name}_{model}"}
    ann = staff(database, "view_delivery", "view_message", "view_payload", *others)
    ids = str(dead if model == "delivery" else message_of(database, dead))

    assert ann.status(f"{name}/", model, ids=ids, **confirmed) == 403
    ann.status("", model, action=name, _selected_action=ids)
    assert states(database) == ["dead"]
    assert log() == []


@pytest.mark.parametrize("name", ["requeue", "cancel"])
def test_who_may_not_view_a_delivery_may_not_operate_it(
    database: str, dead: int, name: str
) -> None:
    ann = staff(database, "requeue_delivery", "cancel_delivery", "view_message")

    assert ann.status(f"{name}/", ids=str(dead), confirmed="yes") == 403
    assert states(database) == ["dead"]


@pytest.mark.parametrize("name", ["requeue", "cancel"])
def test_permission_is_enough(database: str, dead: int, name: str) -> None:
    ann = staff(database, "view_delivery", f"{name}_delivery")

    assert f"{name}/" in ann.open(f"{dead}/change/")
    assert f'value="{name}"' in ann.open()
    ann.operate(name, dead)
    assert states(database) == [{"requeue": "ready", "cancel": "cancelled"}[name]]


# ------------------------------------------------------------------------------------------- how


@pytest.mark.parametrize(
    ("name", "model"), [("requeue", "delivery"), ("cancel", "delivery"), ("replay", "message")]
)
def test_an_address_that_is_opened_changes_nothing(
    database: str, dead: int, name: str, model: str
) -> None:
    user = boss(database)

    answer = user.client.get(user.address(f"{name}/", model), {"ids": dead, "confirmed": "yes"})
    assert (answer.status_code, answer["Location"]) == (302, user.address(model=model))
    assert states(database) == ["dead"]
    assert log() == []


@pytest.mark.parametrize("method", ["head", "put", "patch", "delete", "options"])
def test_only_a_post_changes_anything(database: str, dead: int, method: str) -> None:
    user = boss(database)

    getattr(user.client, method)(f"{user.address('requeue/')}?ids={dead}&confirmed=yes")
    assert states(database) == ["dead"]


@pytest.mark.parametrize(
    ("name", "model"), [("requeue", "delivery"), ("cancel", "delivery"), ("replay", "message")]
)
def test_post_without_csrf_token_is_refused(
    database: str, dead: int, name: str, model: str
) -> None:
    user = boss(database, enforce_csrf_checks=True)

    for confirmed in ({}, {"confirmed": "yes"}):
        assert user.status(f"{name}/", model, ids=str(dead), **confirmed) == 403
    assert user.status("", model, action=name, _selected_action=str(dead)) == 403
    assert states(database) == ["dead"]
    assert log() == []


def test_the_forms_bring_their_csrf_token(database: str, dead: int) -> None:
    user = boss(database, enforce_csrf_checks=True)
    token = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')

    [first] = token.findall(user.open(f"{dead}/change/").split("formaction")[0])[-1:]
    asked = user.client.post(
        user.address("requeue/"), {"ids": dead, "csrfmiddlewaretoken": first}
    ).content.decode()
    second = token.findall(asked)[-1]
    user.client.post(
        user.address("requeue/"),
        {"ids": dead, "confirmed": "yes", "csrfmiddlewaretoken": second},
    )
    assert states(database) == ["ready"]


# ---------------------------------------------------------------------------------------- nobody


@pytest.mark.parametrize("model", EVERYTHING)
def test_nobody_adds_changes_or_deletes_rows_by_hand(database: str, dead: int, model: str) -> None:
    user = boss(database)
    pks = {
        "message": message_of(database, dead),
        "delivery": dead,
        "worker": quote(working(database)),
    }
    pk = pks[model]

    assert user.status(f"{pk}/change/", model) == 200
    assert user.status("add/", model) == 403
    assert user.status("add/", model, state="ready", topic="x", name="x") == 403
    assert user.status(f"{pk}/change/", model, state="done", topic="x", host="x") == 403
    assert user.status(f"{pk}/delete/", model) == 403
    assert user.status(f"{pk}/delete/", model, post="yes") == 403
    assert states(database) == ["dead"]
    assert log() == []


# -------------------------------------------------------------------------------------- payloads


def test_payload_is_for_those_who_may_see_it(database: str, dead: int) -> None:
    change_message(
        database,
        body=f'{{"named":{{"text":"{SECRET}"}},"sender":null}}',
        headers=f'{{"context":{{"actor":"{SECRET}"}}}}',
    )
    message = message_of(database, dead)
    pages = [(f"{dead}/change/", "delivery"), (f"{message}/change/", "message")]
    ann = staff(database, "view_delivery", "view_message", "requeue_delivery", "replay_message")
    bob = staff(database, "view_delivery", "view_message", "view_payload")

    for name, model in pages:
        assert SECRET not in ann.open(name, model)
        assert bob.open(name, model).count(SECRET) == 2
        assert SECRET not in bob.open(model=model)


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        ("message", "body__contains"),
        ("message", "headers__startswith"),
        ("delivery", "message__body__contains"),
        ("delivery", "last_error__regex"),
        ("delivery", "message__deliveries__message__body__contains"),
        ("worker", "stats__contains"),
    ],
)
def test_payload_cannot_be_guessed_by_filtering(database: str, model: str, lookup: str) -> None:
    user = boss(database)

    assert user.status(f"?{lookup}=a", model) == 400


def test_payload_is_not_even_read_for_others(database: str, dead: int) -> None:
    ann = staff(database, "view_delivery", "view_message")
    with CaptureQueriesContext(connections[database]) as queries:
        ann.open()
        ann.open(model="message")
        ann.open(f"{dead}/change/")
        ann.open(f"{message_of(database, dead)}/change/", "message")
    assert not [q["sql"] for q in queries if '"body"' in q["sql"] or '"headers"' in q["sql"]]


def test_permissions_are_those_that_are_documented() -> None:
    own = [*Delivery._meta.permissions, *Message._meta.permissions]

    assert {name for name, _ in own} == {
        "requeue_delivery",
        "cancel_delivery",
        "replay_message",
        "view_payload",
    }
