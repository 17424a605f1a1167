"""E003, W008 and W009: what keeps durable deliveries from being made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from signalpost.delivery import receivers
from signalpost.django.operating import leases
from signalpost.django.operating.databases import (
    Fault,
    journal_fault,
    missing_tables,
    sqlite_faults,
)
from signalpost.django.operating.keys import unknown_keys
from signalpost.django.settings import configured
from signalpost.django.stores import store_for
from signalpost.exceptions import RecordingError


def check_durable_settings() -> list[CheckMessage]:
    """E003: SQLite that isn't set up for durable receivers. W009: timeouts beyond the lease.

    Nothing is asked of a database.
    """
    faults = [fault for alias in _aliases() for fault in sqlite_faults(alias)]
    long_runs = leases.longer_than(configured("LEASE"))
    return [
        *_errors(faults),
        *(checks.Warning(each.message, hint=each.hint, id="signalpost.W009") for each in long_runs),
    ]


def check_database(alias: str) -> list[CheckMessage]:
    """E003, as the database itself shows it, whoever is connected."""
    journal = journal_fault(alias)
    return _errors([*sqlite_faults(alias), *([] if journal is None else [journal])])


def check_stored(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E003: a SQLite file that isn't in WAL mode. W008: deliveries for receivers that nobody is.

    Of the databases that Django checks: those of `manage.py check --database`, and of `migrate`.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            found += _check_stored(alias)
        except DatabaseError:
            continue  # it is away, or older than these columns: `doctor` tells, and `migrate` cures
    return found


def _check_stored(alias: str) -> list[CheckMessage]:
    faults: list[Fault] = []
    if alias in _aliases():
        journal = journal_fault(alias)
        faults += [] if journal is None else [journal]
    try:
        store = store_for(alias)
    except RecordingError:  # another vendor's, where nothing is kept
        return []
    unknown = [] if missing_tables(alias) else unknown_keys(store)
    return [
        *_errors(faults),
        *(checks.Warning(each.message, hint=each.hint, id="signalpost.W008") for each in unknown),
    ]


def _aliases() -> list[str]:
    """The databases that the connected receivers' deliveries are kept in, as far as that is known."""
    declared = {each.options.using or DEFAULT_DB_ALIAS for each in receivers.known()}
    return [alias for alias in connections if alias in declared]


def _errors(faults: Iterable[Fault]) -> list[CheckMessage]:
    return [checks.Error(each.message, hint=each.hint, id="signalpost.E003") for each in faults]
