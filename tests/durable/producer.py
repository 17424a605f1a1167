"""A producer in a process of its own, which kills itself at a point: ``python -m tests.durable.producer POINT``.

Joins a test's database. In one transaction it writes a business row and records a delivery. The points:
"in the transaction"; "before" the COMMIT is sent; "after" it; in SQLite, inside of it, while it "writes
the log" or "copies the log" into the database. With another point it isn't the process that kills, but
the way to the server on ``PRODUCER_PORT``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db import connections, transaction  # noqa: E402

from signalpost import Signal  # noqa: E402
from tests.store.models import Customer  # noqa: E402

paid = Signal(name="tests.processes.paid")
#: How much more is written, so that the COMMIT of SQLite takes its time, in bytes.
BALLAST = 24_000_000


def note(**kwargs: Any) -> None: ...


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def load(connection: Any) -> None:
    """Write much, all of which stays in memory before the COMMIT."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ballast (data BLOB)")
        cursor.execute("INSERT INTO ballast VALUES (zeroblob(%s))", [BALLAST])


class Killer:
    """Kills the process as soon as its COMMIT has written half of what it writes to a file.

    While that is written the interpreter is free for the thread that looks.
    """

    def __init__(self, connection: Any, point: str) -> None:
        database = str(connection.settings_dict["NAME"])
        self.file = Path(f"{database}-wal" if point == "writes the log" else database)
        log = Path(f"{database}-wal")
        assert log.stat().st_size == 0, "it was written before the COMMIT"
        self.half = self.file.stat().st_size + BALLAST // 2
        self.committed = False
        self.looking = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def __enter__(self) -> None:
        self.thread.start()
        assert self.looking.wait(60)

    def __exit__(self, *exc_info: object) -> None:
        self.committed = True
        self.thread.join(60)

    def look(self) -> None:
        self.looking.set()
        while not self.committed:
            if self.file.stat().st_size >= self.half and not self.committed:
                kill()


def main(point: str) -> None:
    paid.connect(note, durable="tests.note")
    connections.settings["default"].update(json.loads(os.environ.get("PRODUCER_WAY", "{}")))
    connection: Any = connections["default"]
    commit = connection._commit

    def commit_or_not() -> None:
        if point == "before":
            kill()
        with Killer(connection, point) if inside else nullcontext():
            commit()

    inside = point.endswith("the log")
    if inside:
        with connection.cursor() as cursor:
            # The log is empty, and nothing is written to it before the COMMIT.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute(f"PRAGMA cache_size = -{BALLAST // 500}")
            cursor.execute("PRAGMA cache_spill = OFF")
    connection._commit = commit_or_not
    with transaction.atomic():
        Customer.objects.create(name=point)
        paid.send(sender=None, name=point)
        if inside:
            load(connection)
        if point == "in the transaction":
            kill()
    if point == "after":
        kill()


if __name__ == "__main__":
    main(sys.argv[1])
