"""The database servers that tests talk to, where they run.

A test that needs one which isn't there is skipped and says which, or fails where
`SIGNALPOST_REQUIRE_SERVICES=1` is set.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import socket

import pytest

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
