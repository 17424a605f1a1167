"""A producer in a process of its own, which kills itself at a point: ``python -m tests.durable.producer POINT``.

Joins a test's database. In one transaction it writes a business row and records a delivery. The points:
"in the transaction"; "before" the COMMIT is sent; at "the start of" it, in SQLite; "after" it. With
another point it isn't the process that kills, but the way to the server on ``PRODUCER_PORT``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import django

django.setup()

from django.db import connections, transaction  # noqa: E402

from signalpost import Signal  # noqa: E402
from tests.store.models import Customer  # noqa: E402

paid = Signal(name="tests.processes.paid")


def note(**kwargs: Any) -> None: ...


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(point: str) -> None:
    paid.connect(note, durable="tests.note")
    connections.settings["default"].update(json.loads(os.environ.get("PRODUCER_WAY", "{}")))
    connection: Any = connections["default"]
    commit = connection._commit

    def commit_or_not() -> None:
        if point == "before":
            kill()
        if point == "the start of":
            connection.connection.set_trace_callback(lambda sql: kill())
        commit()

    connection._commit = commit_or_not
    with transaction.atomic():
        Customer.objects.create(name=point)
        paid.send(sender=None, name=point)
        if point == "in the transaction":
            kill()
    if point == "after":
        kill()


if __name__ == "__main__":
    main(sys.argv[1])
