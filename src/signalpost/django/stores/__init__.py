"""The stores of durable deliveries, one for each database of the project."""

from __future__ import annotations

from django.db import connections

from signalpost.django.stores.base import DatabaseStore
from signalpost.exceptions import RecordingError

_stores: dict[str, DatabaseStore] = {}


def store_for(alias: str) -> DatabaseStore:
    """The store of a database. Raises a RecordingError where there can be none."""
    store = _stores.get(alias)
    if store is None:
        store = _stores[alias] = _make(alias)
    return store


def _make(alias: str) -> DatabaseStore:
    vendor = connections[alias].vendor
    if vendor == "postgresql":
        from signalpost.django.stores.postgresql import PostgreSQLStore

        return PostgreSQLStore(alias)
    if vendor == "mysql":
        from signalpost.django.stores.mysql import MySQLStore

        return MySQLStore(alias)
    if vendor == "sqlite":
        from signalpost.django.stores.sqlite import SQLiteStore

        return SQLiteStore(alias)
    raise RecordingError(
        f"Durable deliveries are kept in PostgreSQL, MariaDB, MySQL or SQLite, but database '{alias}' "
        f"is {vendor}. Connect the receiver with using= another."
    )
