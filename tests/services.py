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

import pytest
from django.db import connections

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
    if reason is None:
        return
    if os.environ.get("SIGNALPOST_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{reason}, and SIGNALPOST_REQUIRE_SERVICES is set", pytrace=False)
    pytest.skip(reason)


def end_other_sessions(alias: str) -> None:
    """Have the database of these tests to ourselves, so that PostgreSQL lets it be dropped.

    What killed processes had open ends by itself, but not at once. Sessions that outlast that are
    ended, and told of as a warning, with what they asked last.
    """
    deadline = time.monotonic() + 2.0
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connections[alias].cursor() as cursor:
        while True:
            cursor.execute(f"SELECT pid, backend_type, state, backend_start, query {others}")
            left = cursor.fetchall()
            if not left or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        cursor.execute(f"SELECT pg_terminate_backend(pid) {others}")
    if left:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(f"Sessions that tests have left open: {left}", stacklevel=1)
