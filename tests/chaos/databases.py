"""The database of a run: made for it, and dropped whatever becomes of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Of its own, so that several runs on one machine do not meet.
NAME = f"test_signalpost_chaos_{os.getpid()}"
SECONDS_TO_NOTICE = 20


@contextmanager
def made(database: str, folder: Path, place: dict[str, Any]) -> Iterator[None]:
    """Django, set up with an empty database of that kind, which is at `place`."""
    name = str(folder / "chaos.sqlite3") if database == "sqlite" else NAME
    test = {"NAME": name, "CHARSET": "utf8mb4"} if database == "mariadb" else {"NAME": name}
    os.environ["SIGNALPOST_CHAOS_DATABASE"] = database
    os.environ["SIGNALPOST_CHAOS_PLACE"] = json.dumps({**place, "TEST": test})
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"
    import django
    from django.db import connection, connections

    django.setup()
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    # Before any fork: two processes with one connection would garble it.
    connections.close_all()
    # For processes that set Django up themselves.
    os.environ["SIGNALPOST_CHAOS_PLACE"] = json.dumps({**place, "NAME": name, "TEST": test})
    try:
        yield
    finally:
        connections.close_all()
        if not place:  # else its server goes too, or has gone already
            _drop(connection, before)
            connections.close_all()


def _drop(connection: Any, before: str) -> None:
    """Drop it, once the server has noticed that those who used it are dead."""
    from django.db import DatabaseError

    until = time.monotonic() + SECONDS_TO_NOTICE
    while True:
        try:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
        except DatabaseError:
            connection.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            connection.settings_dict["NAME"] = before
            return
