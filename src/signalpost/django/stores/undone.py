"""Transactions that the database takes back by itself after an error, and goes on without one.

Django is told, so that whoever swallows the error loses the transaction all the same. Else what came
before would be gone, and what comes after, the settling too, would be committed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connections, transaction


@contextmanager
def noting(alias: str, is_undone: Callable[[Any, Error], bool]) -> Generator[None, None, None]:
    """A transaction, or a savepoint inside one, that is over once the database has taken it back."""
    connection: Any = connections[alias]

    def note(execute: Callable[..., Any], *call: Any) -> Any:
        try:
            return execute(*call)
        except Error as error:
            if connection.in_atomic_block and is_undone(connection, error):
                connection.needs_rollback = True
            raise

    with transaction.atomic(using=alias), connection.execute_wrapper(note):
        yield


def by_sqlite(connection: Any, error: Error) -> bool:
    """Whether SQLite has: as it may when its disk is full, and as ON CONFLICT ROLLBACK asks for."""
    raw = connection.connection
    return raw is not None and not raw.in_transaction


#: A deadlock, a lock table that is full, a row that has changed since the snapshot.
_UNDOES = {1213, 1206, 1020}
_LOCK_TIMEOUT = 1205


def by_mysql(connection: Any, error: Error) -> bool:
    """Whether MySQL or MariaDB has, which begins another one with the next statement."""
    code = error.args[0] if error.args else None
    if code != _LOCK_TIMEOUT:
        return code in _UNDOES
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT @@innodb_rollback_on_timeout")
        [is_set] = cursor.fetchone()
    return bool(is_set)
