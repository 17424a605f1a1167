"""The database servers that tests talk to, where they run.

A test that needs one which isn't there is skipped and says which, or fails where
`SIGNALPOST_REQUIRE_SERVICES=1` is set.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import socket
import time
import warnings
from contextlib import suppress
from typing import NoReturn

import pytest
from django.db import DatabaseError, connections

#: By alias of the tests' settings: what it is called, its port, the module of its driver.
SERVERS = {
    "postgres": ("PostgreSQL", 5432, "psycopg"),
    "mariadb": ("MariaDB", 3306, "MySQLdb"),
}


@functools.cache
def missing(alias: str) -> str | None:
    """What is missing of the server that the database is on, or None."""
    if alias not in SERVERS:
        return None
    name, port, driver = SERVERS[alias]
    if importlib.util.find_spec(driver) is None:
        return f"needs {name}'s driver {driver}, which isn't installed"
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return f"needs {name} on 127.0.0.1:{port}, where nobody answers"
    return None


def need(alias: str) -> None:
    """Skip the test, or fail it, where the server of the database is missing."""
    reason = missing(alias)
    if reason is not None:
        refuse(reason)


def refuse(reason: str) -> NoReturn:
    """Skip the test, or fail it, since what it needs is missing."""
    if os.environ.get("SIGNALPOST_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{reason}, and SIGNALPOST_REQUIRE_SERVICES is set", pytrace=False)
    pytest.skip(reason)


#: By the kind of server: the other sessions with the database, and what ends one of them.
_OTHERS = {
    "postgresql": (
        "SELECT pid, backend_type, state, backend_start, query FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "SELECT pg_terminate_backend(%s)",
    ),
    "mysql": (
        "SELECT id, command, state, time, info FROM information_schema.processlist "
        "WHERE db = database() AND id <> connection_id()",
        "KILL %s",
    ),
}


def end_other_sessions(alias: str) -> None:
    """Have the database of these tests to ourselves, so that it can be dropped.

    PostgreSQL refuses otherwise, and MariaDB waits for as long as another's transaction is open. What
    killed processes had open ends by itself, but not at once. Sessions that outlast that are ended,
    and told of as a warning, with what they do.
    """
    deadline = time.monotonic() + 2.0
    connection = connections[alias]
    find, end = _OTHERS[connection.vendor]
    with connection.cursor() as cursor:
        while True:
            cursor.execute(find)
            left = cursor.fetchall()
            if not left or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        for session in left:
            with suppress(DatabaseError):  # it has ended meanwhile
                cursor.execute(end, session[:1])
    if left:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(f"{alias}: sessions that tests have left open: {left}", stacklevel=1)
