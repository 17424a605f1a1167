"""A row can't make a worker import or run anything that isn't a receiver connected to it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from typing import Any

import pytest

from signalpost import Signal, signal_context
from signalpost.delivery.body import MAX_HOPS
from signalpost.exceptions import RecordingError
from signalpost.testing import drain
from tests.durable import rows, stored

paid = Signal(name="tests.security.paid")
# Nothing of it is the database's business; `test_crafted_value_is_dead_on_each_database` is.
on_sqlite = pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])


@pytest.fixture
def seen(database: str, on: Any) -> list[dict[str, Any]]:
    """What the one receiver was called with."""
    calls: list[dict[str, Any]] = []

    @on(paid, durable="tests.note", using=database, weak=False)
    def note(sender: Any, **kwargs: Any) -> None:
        calls.append({"sender": sender, **kwargs})

    return calls


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Notes what a crafted row would like to be called."""
    importlib.import_module("signalpost.django.working")  # what drain needs
    called: list[str] = []

    def noted(name: str) -> Any:
        return lambda *args, **kwargs: called.append(name)

    monkeypatch.setattr(os, "system", noted("os.system"))
    monkeypatch.setattr(subprocess.Popen, "__init__", noted("Popen"))
    monkeypatch.setattr(importlib, "import_module", noted("import_module"))
    stored.ran.clear()
    yield
    assert called == []
    assert stored.ran == []


def craft(database: str, **columns: Any) -> None:
    named = {"topic": "tests.security.paid", "receiver": "tests.note"}
    rows.craft(database, **{**named, "body": {"named": {}, "sender": None}, **columns})


def tagged(tag: str, value: Any) -> Any:
    return {"named": {"order": {"$": tag, "v": value}}, "sender": None}


def error_of_the_dead(database: str) -> str:
    """Runs what is due; the error of the one delivery, which is dead and was called by nobody."""
    imported = set(sys.modules)
    drained = drain(database, raises=False)
    assert set(sys.modules) - imported == set()
    assert (drained.done, drained.retried, drained.dead) == (0, 0, 1)
    [row] = rows.deliveries(database)
    assert row.state == "dead"
    assert len(row.last_error) <= 2000
    return str(row.last_error)


S = "tests.durable.stored"


@on_sqlite
@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [
        ("class", "os:system", "'os:system' is no class"),
        ("class", "subprocess:Popen", "'subprocess:Popen' is a class of Python's library"),
        ("class", "builtins:eval", "'builtins:eval' is no class"),
        ("class", "antigravity:Flight", "'antigravity:Flight' is no class"),
        ("class", "__main__:Command", "'__main__:Command' is a class of the program"),
        ("class", "os.path:os.system", "'os.path:os.system' is no class"),
        ("class", f"{S}:Temperature.__init__", "is no class"),
        ("class", f"{S}:Temperature.__class__", "is no class"),
        ("class", f"{S}:lazy", "is no class"),
        ("class", f"{S}:Watched.missing", "is no class"),
        ("class", "", "<no name> is no class"),
        ("class", ["os", "system"], "<no name> is no class"),
        ("class", "x" * 10_000, "<no name> is no class"),
        ("dataclass", ["subprocess:Popen", {"args": "secret"}], "a class of Python's library"),
        ("dataclass", ["os:system", {"command": "secret"}], "'os:system' is no class"),
        ("dataclass", [f"{S}:Temperature", {"degrees": "secret"}], "is no dataclass"),
        ("dataclass", [f"{S}:Watched", {}], "is no dataclass"),
        ("dataclass", [f"{S}:Money", {"amount": "secret"}], "has other fields by now"),
        ("dataclass", [f"{S}:Money", {"__class__": "secret"}], "has other fields by now"),
        ("dataclass", [f"{S}:Money", "secret"], "has other fields by now"),
        ("dataclass", [f"{S}:WithProperty", {"name": "secret"}], "'name' that is a property"),
        ("dataclass", [f"{S}:WithDel", {"path": "/etc/secret"}], "has a `__del__`"),
        ("dataclass", [f"{S}:OfDict", {"number": 1}], "is a dict too"),
        ("dataclass", f"{S}:Money", "(ValueError)"),
        ("enum", ["os:system", "secret"], "'os:system' is no class"),
        ("enum", [f"{S}:Color", "mro"], "has no member 'mro'"),
        ("enum", [f"{S}:Color", "__class__"], "has no member '__class__'"),
        ("enum", [f"{S}:Color", "a secret"], "has no member <no name>"),
        ("enum", [f"{S}:Color", ["secret"]], "(TypeError)"),
        ("enum", [f"{S}:Money", "amount"], "is no enum"),
        ("model", "os.system", "there is no model 'os.system'"),
        ("model", "store.order.objects", "there is no model 'store.order.objects'"),
        ("pickle", "Y29zCnN5c3RlbQo=", "'pickle' is no type that this process knows"),
        ("py/object", "os.system", "<no name> is no type that this process knows"),
        ("decimal", "secret", "(InvalidOperation)"),
        ("decimal", ["secret"], "(ValueError)"),
        ("datetime", "secret", "(ValueError)"),
        ("uuid", "secret", "(ValueError)"),
        ("bytes", "secret!", "(Error)"),
        ("timedelta", [10**12, 0, 0], "(OverflowError)"),
        ("set", [["secret"]], "(TypeError)"),
        ("dict", [[["secret"], 1]], "(TypeError)"),
        ("dict", "secret", "(ValueError)"),
        ("changes", "secret", "(AttributeError)"),
        (None, "secret", "<no name> is no type"),
        (["class"], "os:system", "<no name> is no type"),
    ],
)
def test_crafted_value_is_dead_and_runs_nothing(
    database: str, seen: Any, tag: Any, value: Any, reason: str
) -> None:
    craft(database, body=tagged(tag, value))

    error = error_of_the_dead(database)

    assert error.startswith("PayloadUnreadable: argument 'order' can't be restored: ")
    assert reason in error
    assert "secret" not in error
    assert seen == []


def test_crafted_value_is_dead_on_each_database(database: str, seen: Any) -> None:
    craft(database, body=tagged("class", "subprocess:Popen"))

    assert error_of_the_dead(database) == (
        "PayloadUnreadable: argument 'order' can't be restored: 'subprocess:Popen' is a class of "
        "Python's library, which isn't stored."
    )
    assert seen == []


@on_sqlite
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "is no JSON"),
        ("null", "The body of the message is no dictionary."),
        ("{}", "The payload of the message is no dictionary."),
        ('{"named": [], "sender": null}', "The payload of the message is no dictionary."),
        ('{"named": {}, "named": {"order": 1}, "sender": null}', "a name stands twice"),
        ('{"named": {"order": NaN}, "sender": null}', "NaN is no number"),
        ('{"named": {"order": ' + "9" * 5000 + '}, "sender": null}', "Exceeds the limit"),
        (
            '{"named": {"order": ' + "[" * 100_000 + "]" * 100_000 + '}, "sender": null}',
            "recursion",
        ),
        ('{"named": {}, "sender": {"$": "class", "v": "os:system"}}', "argument 'sender' can't be"),
        ('{"named": {"order": {"$": "tuple"}}, "sender": null}', "'tuple' is no type"),
        ('{"named": {"order": {"$": "tuple", "v": [], "w": 1}}, "sender": null}', "'tuple' is no"),
        ('{"named": {}, "sender": null, "added": [1]}', "The additions of the message is no"),
        ('{"named": {}, "sender": null, "added": {"tests.note": [1]}}', "is a list, not a dict"),
    ],
)
def test_crafted_body_is_dead_and_runs_nothing(
    database: str, seen: Any, body: str, reason: str
) -> None:
    craft(database, body=body)

    error = error_of_the_dead(database)

    assert reason in error
    assert "9999" not in error
    assert seen == []


def test_deep_nesting_that_can_be_parsed_is_dead_too(database: str, seen: Any) -> None:
    depth = 400
    nested = '{"$":"tuple","v":[' * depth + "]}" * depth
    craft(database, body='{"named":{"order":' + nested + '},"sender":null}')

    assert "it has more than 200 levels" in error_of_the_dead(database)
    assert seen == []


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ("[]", "The headers of the message is no dictionary."),
        ({"context": ["secret"]}, "The context of the message is no dictionary."),
        ({"context": {"actor": {"$": "class", "v": "os:system"}}}, "argument 'actor' can't be"),
    ],
)
def test_crafted_headers_are_dead_and_run_nothing(
    database: str, seen: Any, headers: Any, reason: str
) -> None:
    craft(database, headers=headers)

    error = error_of_the_dead(database)

    assert reason in error
    assert "secret" not in error
    assert seen == []


@on_sqlite
@pytest.mark.parametrize("hops", [-(10**9), "many", True, None, 1.5])
def test_crafted_count_of_hops_counts_from_nothing(database: str, seen: Any, hops: Any) -> None:
    craft(database, headers={"hops": hops})

    assert drain(database).done == 1
    assert len(seen) == 1


@on_sqlite
def test_message_of_no_version_is_dead(database: str, seen: Any) -> None:
    craft(database, version=0)

    error = error_of_the_dead(database)

    assert error.endswith("The message has version 0, and this process reads 1.")
    assert seen == []


@on_sqlite
@pytest.mark.parametrize("version", [2, 32_000])
def test_message_of_a_newer_version_waits_for_a_newer_worker(
    database: str, seen: Any, version: int
) -> None:
    craft(database, version=version)

    drain(database, raises=False)

    [row] = rows.deliveries(database)
    assert (row.state, row.attempts) == ("ready", 0)
    assert row.last_error.startswith(f"The message has version {version}, and this worker reads 1.")
    assert seen == []


@on_sqlite
@pytest.mark.parametrize(
    ("receiver", "topic"),
    [
        ("os.system", "tests.security.paid"),
        ("builtins.eval", "tests.security.paid"),
        ("tests.durable.test_security.craft", "tests.security.paid"),
        ("signalpost.testing.draining.drain", "tests.security.paid"),
        ("tests.note", "os.system"),
        ("tests.note", "django.db.models.signals.post_save"),
        ("antigravity.fly", "antigravity.flown"),
    ],
)
def test_receiver_or_signal_that_is_not_connected_is_parked_and_not_run(
    database: str, seen: Any, receiver: str, topic: str
) -> None:
    craft(database, receiver=receiver, topic=topic)
    imported = set(sys.modules)

    drained = drain(database, raises=False)

    assert set(sys.modules) - imported == set()
    assert (drained.done, drained.retried, drained.dead) == (0, 0, 0)
    assert drained.errors == [
        f"No receiver '{receiver}' is connected to signal '{topic}' in this worker. Was it renamed? "
        "Then declare aliases=. Looked at again later."
    ]
    [row] = rows.deliveries(database)
    assert (row.state, row.attempts) == ("ready", 0)
    assert seen == []


def test_class_is_handed_over_and_not_called(database: str, seen: Any) -> None:
    craft(database, body=tagged("class", f"{S}:Watched"))

    assert drain(database).done == 1

    assert seen[0]["order"] is stored.Watched


def test_arguments_cannot_take_the_place_of_what_we_pass(database: str, seen: Any) -> None:
    named = {"signal": "forged", "order": 1}
    craft(database, body={"named": named, "sender": None})

    assert error_of_the_dead(database) == (
        "PayloadUnreadable: The payload of the message names what isn't its own."
    )
    assert seen == []


# ------------------------------------------------------------------------- what errors may hold


def test_values_of_sensitive_arguments_are_redacted_in_errors(database: str, on: Any) -> None:
    @on(paid, durable="tests.fail", using=database)
    def fail(password: str, user: str, **kwargs: Any) -> None:
        raise ValueError(f"cannot log {user} in with {password}")

    paid.send(sender=None, password="hunter2", user="ada")
    drain(database, raises=False)

    [row] = rows.deliveries(database)
    assert "cannot log ada in with [redacted]" in row.last_error
    assert "hunter2" not in row.last_error


def test_names_of_sensitive_arguments_are_a_setting(database: str, on: Any, settings: Any) -> None:
    settings.SIGNALPOST = {"SENSITIVE": ["card"]}

    @on(paid, durable="tests.fail", using=database)
    def fail(card: str, **kwargs: Any) -> None:
        raise ValueError(f"{card} was refused")

    paid.send(sender=None, card="4111-1111")
    drain(database, raises=False)

    assert rows.deliveries(database)[0].last_error.startswith("ValueError: [redacted] was refused")


def test_nul_and_half_pairs_in_an_error_are_shown(database: str, on: Any) -> None:
    @on(paid, durable="tests.fail", using=database)
    def fail(**kwargs: Any) -> None:
        raise ValueError("a\x00b\ud800c" + "x" * 10_000)

    paid.send(sender=None)
    drain(database, raises=False)

    [row] = rows.deliveries(database)
    assert row.last_error.startswith("ValueError: a\\x00b\\ud800cxxx")
    assert len(row.last_error) == 2000


def test_error_whose_text_raises_is_known_by_its_class(database: str, on: Any) -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    @on(paid, durable="tests.fail", using=database)
    def fail(**kwargs: Any) -> None:
        raise Silent

    paid.send(sender=None)
    drain(database, raises=False)

    assert "Silent (at " in rows.deliveries(database)[0].last_error


# ------------------------------------------------------------------------------------- the hops


def test_signals_that_go_round_in_a_loop_are_stopped(database: str, on: Any) -> None:
    runs: list[int] = []

    @on(paid, durable="tests.loop", using=database, max_attempts=1)
    def loop(number: int, **kwargs: Any) -> None:
        runs.append(number)
        paid.send(sender=None, number=number + 1)

    paid.send(sender=None, number=0)
    drained = drain(database, raises=False)

    assert runs == list(range(MAX_HOPS + 1))
    assert drained.dead == 1
    [error] = drained.errors
    assert isinstance(error, RecordingError)
    assert str(error).endswith(
        "it was sent by a durable receiver, which was run since another sent, and so on 17 times: "
        "the signals go round in a loop."
    )


def test_hops_are_counted_for_each_chain(database: str, on: Any) -> None:
    @on(paid, durable="tests.twice", using=database)
    def twice(number: int, **kwargs: Any) -> None:
        if number < 3:
            paid.send(sender=None, number=number + 1)
            paid.send(sender=None, number=number + 1)

    paid.send(sender=None, number=0)

    assert drain(database).done == 1 + 2 + 4 + 8


def test_context_that_is_too_long_is_refused(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database)
    def note(**kwargs: Any) -> None: ...

    with signal_context(blob="x" * 300_000), pytest.raises(RecordingError) as caught:
        paid.send(sender=None)

    assert "A signal_context of 300,023 bytes is longer than 262,144 bytes." in str(caught.value)
    assert rows.messages(database) == []
