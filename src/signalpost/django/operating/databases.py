"""Whether a database can be worked on: its tables, its clock, and how SQLite is set up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connections

from signalpost.django.stores.base import DatabaseStore

#: The shortest time that SQLite has to wait for another's write, in seconds. Django's default.
TIMEOUT = 5.0
#: How Django names the database in memory that it makes for a test.
_OF_A_TEST = "file:memorydb_"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with how a database is set up, and what to do."""

    message: str
    hint: str


def missing_tables(alias: str) -> list[str]:
    """The tables of durable delivery that the database doesn't have."""
    connection: Any = connections[alias]
    with connection.cursor() as cursor:
        found = set(connection.introspection.table_names(cursor))
    models = apps.get_app_config("signalpost").get_models()
    tables = [model._meta.db_table for model in models if model._meta.managed]
    return [table for table in tables if table not in found]


def database_time(store: DatabaseStore) -> datetime:
    """What the database takes the time to be."""
    with store.cursor() as cursor:
        cursor.execute(f"SELECT {store.now}", [])
        return store.time(cursor.fetchone()[0])


def sqlite_faults(alias: str) -> list[Fault]:
    """What in the settings makes a SQLite database unfit; of other databases, nothing."""
    connection: Any = connections[alias]
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or name.startswith(_OF_A_TEST):
        return []
    if ":memory:" in name or "mode=memory" in name or not name:
        return [
            Fault(
                f"Database '{alias}' is SQLite's in memory, which no worker can see and which keeps "
                "nothing.",
                f'Give DATABASES[\'{alias}\'] a file: "NAME": BASE_DIR / "db.sqlite3".',
            )
        ]
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    found: list[Fault] = []
    mode = options.get("transaction_mode")
    if str(mode).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        found.append(
            Fault(
                f"Database '{alias}' is SQLite with transaction_mode {mode!r}: a transaction that reads "
                'first and writes then fails with "database is locked" whenever a worker writes.',
                _set(alias, '"transaction_mode": "IMMEDIATE"'),
            )
        )
    timeout = options.get("timeout", TIMEOUT)
    if not isinstance(timeout, (int, float)) or timeout < TIMEOUT:
        found.append(
            Fault(
                f"Database '{alias}' is SQLite with a timeout of {timeout!r} s: while a worker writes, "
                'others fail soon with "database is locked".',
                _set(alias, '"timeout": 20'),
            )
        )
    return found


def journal_fault(alias: str) -> Fault | None:
    """That a SQLite file isn't in WAL mode, which the file itself says; None of other databases."""
    connection: Any = connections[alias]
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = str(cursor.fetchone()[0])
    if mode.lower() in ("wal", "memory"):
        return None
    return Fault(
        f"Database '{alias}' is SQLite with journal_mode {mode!r}: whoever reads keeps the workers from "
        "writing, and they keep others from reading.",
        _set(alias, '"init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=normal;"'),
    )


def _set(alias: str, option: str) -> str:
    return f"Set it in DATABASES['{alias}']: \"OPTIONS\": {{{option}}}."
