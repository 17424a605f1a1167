"""E003, W008 and W009 of `manage.py check`: provoked, and silent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import checks
from django.core.management import call_command
from django.db import connections
from django.test import override_settings

from signalpost import Signal
from signalpost.django.models import Delivery

ordered = Signal(name="tests.checks.ordered")


def mail(**kwargs: Any) -> None: ...


def slow(**kwargs: Any) -> None: ...


def said(check: str, *databases: str) -> list[tuple[int, str, str | None]]:
    """What the check says; of these databases, as `check --database` has it."""
    messages = checks.run_checks(databases=list(databases) or None)
    return [(m.level, m.msg, m.hint) for m in messages if m.id == f"signalpost.{check}"]


@pytest.fixture(autouse=True)
def unblocked(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Checks of Django's own ask the databases what they can do."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def connected(database: str, on: Any) -> str:
    on(ordered, durable="tests.mail", using=database)(mail)
    return database


@pytest.fixture
def sqlite(on: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives the options of the SQLite database, which a durable receiver is connected for."""
    on(ordered, durable="tests.mail", using="file")(mail)
    settings = connections["file"].settings_dict

    def give(name: str | None = None, **options: Any) -> None:
        monkeypatch.setitem(settings, "OPTIONS", options)
        if name is not None:
            monkeypatch.setitem(settings, "NAME", name)

    return give


def test_fit_database_is_met_with_silence(connected: str) -> None:
    for check in ("E003", "W008", "W009"):
        assert said(check, connected) == []


@pytest.mark.parametrize("mode", [{}, {"transaction_mode": "DEFERRED"}], ids=str)
def test_sqlite_that_begins_by_reading_is_an_error(sqlite: Any, mode: Any) -> None:
    sqlite(timeout=20, **mode)
    assert said("E003") == [
        (
            checks.ERROR,
            f"Database 'file' is SQLite with transaction_mode {mode.get('transaction_mode')!r}: a "
            'transaction that reads first and writes then fails with "database is locked" whenever a '
            "worker writes.",
            'Set it in DATABASES[\'file\']: "OPTIONS": {"transaction_mode": "IMMEDIATE"}.',
        )
    ]


def test_sqlite_that_waits_too_short_is_an_error(sqlite: Any) -> None:
    sqlite(timeout=2, transaction_mode="immediate")
    assert said("E003") == [
        (
            checks.ERROR,
            "Database 'file' is SQLite with a timeout of 2 s: while a worker writes, others fail soon "
            'with "database is locked".',
            'Set it in DATABASES[\'file\']: "OPTIONS": {"timeout": 20}.',
        )
    ]


def test_default_timeout_of_sqlite_is_long_enough(sqlite: Any) -> None:
    sqlite(transaction_mode="IMMEDIATE")
    assert said("E003") == []


@pytest.mark.parametrize("name", [":memory:", "file:shop?mode=memory&cache=shared"])
def test_sqlite_in_memory_is_an_error(sqlite: Any, name: str) -> None:
    sqlite(name, transaction_mode="IMMEDIATE")
    assert said("E003") == [
        (
            checks.ERROR,
            "Database 'file' is SQLite's in memory, which no worker can see and which keeps nothing.",
            'Give DATABASES[\'file\'] a file: "NAME": BASE_DIR / "db.sqlite3".',
        )
    ]


def test_database_in_memory_that_django_makes_for_a_test_is_no_error(sqlite: Any) -> None:
    sqlite("file:memorydb_default?mode=memory&cache=shared")
    assert said("E003") == []


def test_sqlite_without_durable_receivers_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["file"].settings_dict, "OPTIONS", {})
    assert said("E003") == []


def test_sqlite_file_that_is_not_in_wal_mode_is_an_error_of_the_database(
    connected: str, request: pytest.FixtureRequest
) -> None:
    connection = connections[connected]
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has such a mode")

    def set_mode(mode: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA journal_mode={mode}")

    request.addfinalizer(lambda: set_mode("wal"))
    set_mode("delete")
    assert said("E003") == []  # nothing is asked of it
    [(level, message, hint)] = said("E003", connected)
    assert (level, message) == (
        checks.ERROR,
        "Database 'file' is SQLite with journal_mode 'delete': whoever reads keeps the workers from "
        "writing, and they keep others from reading.",
    )
    assert hint == (
        'Set it in DATABASES[\'file\']: "OPTIONS": {"init_command": "PRAGMA journal_mode=wal; PRAGMA '
        'synchronous=normal;"}.'
    )


def test_renamed_receiver_is_warned_of(connected: str) -> None:
    ordered.send(None)
    Delivery.objects.using(connected).update(receiver="tests.old.mail")
    assert said("W008") == []  # nothing is asked of a database
    assert said("W008", connected) == [
        (
            checks.WARNING,
            "1 delivery is kept for receiver 'tests.old.mail' of signal 'tests.checks.ordered', which "
            "isn't connected under that key. Did you mean 'tests.mail'?",
            'If it was renamed, connect it with aliases=["tests.old.mail"]. If it is gone for good: '
            "manage.py signalpost cancel --receiver tests.old.mail",
        )
    ]


def test_renamed_receiver_with_an_alias_is_no_warning(database: str, on: Any) -> None:
    on(ordered, durable="tests.mail", aliases=["tests.old.mail"], using=database)(mail)
    ordered.send(None)
    Delivery.objects.using(database).update(receiver="tests.old.mail")
    assert said("W008", database) == []


def test_settled_delivery_of_a_receiver_that_is_gone_is_no_warning(connected: str) -> None:
    ordered.send(None)
    Delivery.objects.using(connected).update(receiver="tests.old.mail", state="cancelled")
    assert said("W008", connected) == []


def test_receiver_of_another_signal_does_not_count(database: str, on: Any) -> None:
    other = Signal(name="tests.checks.other")
    on(ordered, durable="tests.mail", using=database)(mail)
    on(other, durable="tests.slow", using=database)(slow)
    ordered.send(None)
    Delivery.objects.using(database).update(receiver="tests.slow")
    [(_, message, _)] = said("W008", database)
    assert "'tests.slow' of signal 'tests.checks.ordered'" in message


def test_checks_are_silent_before_the_tables_are_made(connected: str) -> None:
    connection: Any = connections[connected]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE signalpost_pause RENAME TO signalpost_hidden")
    try:
        assert said("W008", connected) == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE signalpost_hidden RENAME TO signalpost_pause")


def test_timeout_beyond_the_lease_is_warned_of(on: Any) -> None:
    on(ordered, durable="tests.slow", timeout=90, using="file")(slow)
    [(level, message, hint)] = said("W009")
    assert level == checks.WARNING
    assert message.startswith(
        "Receiver 'tests.slow' may run for 90 s, its timeout, but a worker's lease is 60 s: "
    )
    assert hint is not None
    assert hint.startswith('Set SIGNALPOST["LEASE"], or the workers\' --lease, to 90 or more')
    with override_settings(SIGNALPOST={"LEASE": 90}):
        assert said("W009") == []


def test_timeout_within_the_lease_is_no_warning(on: Any) -> None:
    on(ordered, durable="tests.slow", timeout=60, using="file")(slow)
    assert said("W009") == []


@pytest.mark.parametrize("value", [9, "60", True, None, 100_000], ids=repr)
def test_lease_that_is_none_is_an_error(value: Any) -> None:
    with override_settings(SIGNALPOST={"LEASE": value}):
        [(_, message, hint)] = said("E002")
    assert message == f"The SIGNALPOST setting 'LEASE' is {value!r}, so its default, 60, is used."
    assert hint == "It must be a number of seconds, 10 or more."


def test_checks_are_run_by_the_command(connected: str, capsys: Any) -> None:
    ordered.send(None)
    Delivery.objects.using(connected).update(receiver="tests.old.mail")
    call_command("check", "--database", connected, "--fail-level", "CRITICAL")
    assert "(signalpost.W008)" in capsys.readouterr().err
