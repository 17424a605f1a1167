"""Durable delivery in a project of its own: `python -m benchmarks.durable_project DATABASE WHAT COUNT`.

Run as a process by the tables, since the project has apps and databases, and the other tables none.
Prints figures as JSON. The database is made for the run, and dropped after it.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import django
from django.conf import settings

from benchmarks.timing import Figures, low_percentile

#: By name: the engine, the port of its server on this machine, the user, the driver's module.
DATABASES: Final[dict[str, tuple[str, int | None, str, str]]] = {
    "SQLite": ("sqlite3", None, "", "sqlite3"),
    "PostgreSQL": ("postgresql", 5432, os.environ.get("PGUSER", "postgres"), "psycopg"),
    "MariaDB": ("mysql", 3306, os.environ.get("MYSQL_USER", "root"), "MySQLdb"),
}
_SQLITE: Final = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=wal;",
}
#: Sends in one transaction, while a backlog is made.
_MANY: Final = 500


def is_there(name: str) -> bool:
    """Whether the database's server answers, and its driver is installed."""
    from importlib.util import find_spec

    _, port, _, driver = DATABASES[name]
    if find_spec(driver) is None:
        return False
    if port is None:
        return True
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


@contextmanager
def project(name: str) -> Iterator[None]:
    """Django set up with an empty database of that kind."""
    engine, port, user, _ = DATABASES[name]
    with TemporaryDirectory(prefix="signalpost-bench-") as folder:
        own = f"signalpost_bench_{os.getpid()}"
        database: dict[str, Any] = {
            "ENGINE": f"django.db.backends.{engine}",
            "NAME": {"sqlite3": own, "postgresql": "postgres", "mysql": "mysql"}[engine],
            "HOST": "127.0.0.1" if port else "",
            "USER": user,
            "PASSWORD": os.environ.get({"mysql": "MYSQL_PASSWORD"}.get(engine, "PGPASSWORD"), ""),
            "OPTIONS": _SQLITE if engine == "sqlite3" else {},
            "TEST": {"NAME": str(Path(folder, own)) if engine == "sqlite3" else own},
        }
        settings.configure(
            INSTALLED_APPS=["signalpost.django"],
            DATABASES={"default": database},
            USE_TZ=True,
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        )
        django.setup()
        from django.test.utils import setup_databases, teardown_databases

        made = setup_databases(verbosity=0, interactive=False)
        try:
            yield
        finally:
            teardown_databases(made, verbosity=0)


class Shop:
    """A signal with one durable receiver, and what is measured of it."""

    def __init__(self, **options: Any) -> None:
        from signalpost import Signal, receiver

        self.signal = Signal(name="bench.order_paid")
        self.heard: Callable[[int], None] | None = None

        @receiver(self.signal, durable="bench.note", **options)
        def note(sender: Any, number: int, **kwargs: Any) -> None:
            if self.heard is not None:
                self.heard(number)

        self._note = note  # connected weakly

    def close(self) -> None:
        """Disconnect, so that the next one is found by the same key."""
        self.signal.disconnect(self._note)

    def send(self, number: int) -> None:
        """In a transaction of its own."""
        from django.db import transaction

        with transaction.atomic():
            self.signal.send(sender=None, number=number)

    def backlog(self, count: int) -> None:
        """So many deliveries, in few transactions."""
        from django.db import transaction

        for start in range(0, count, _MANY):
            with transaction.atomic():
                for number in range(start, min(start + _MANY, count)):
                    self.signal.send(sender=None, number=number)


def insert_by_hand() -> Callable[[int], None]:
    """The two inserts of a send with one receiver, as one would write them, in their transaction."""
    from django.db import connection, transaction
    from django.db.models.fields import UUIDField

    from signalpost.django.stores import store_for

    store = store_for("default")
    field = UUIDField()
    returning = " RETURNING id" if connection.vendor == "postgresql" else ""
    # Names and constants only, no values.
    message = (
        "INSERT INTO signalpost_message (uid, topic, version, ordering_key, body, headers, created_at) "  # noqa: S608
        f"VALUES (%s, %s, %s, %s, %s, %s, {store.now}){returning}"
    )
    delivery = (
        "INSERT INTO signalpost_delivery (message_id, receiver, lane, slot, ordering_key, state, "  # noqa: S608
        "attempts, max_attempts, available_at, fence, claimed_by, last_error) "
        f"VALUES (%s, %s, %s, %s, %s, 'ready', 0, %s, {store.later}, 0, '', '')"
    )

    def insert(number: int) -> None:
        uid = field.get_db_prep_value(uuid.uuid4(), connection)
        body = f'{{"named":{{"number":{number}}},"sender":null}}'
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(message, [uid, "bench.order_paid", 1, None, body, "{}"])
            made = cursor.fetchone()[0] if returning else cursor.lastrowid
            cursor.execute(
                delivery, [made, "bench.note", "default", 0, None, 12, store.seconds(0.0)]
            )

    return insert


def record_alone() -> Callable[[int], None]:
    """The same rows as a send writes them, encoded: without the signal that leads to it."""
    from django.db import transaction

    from signalpost.delivery import body
    from signalpost.delivery.store import NewDelivery
    from signalpost.django.databases import DjangoDatabases

    databases = DjangoDatabases()
    recorder = databases.store("default")
    deliveries = [NewDelivery("bench.note", "default", 12)]

    def record(number: int) -> None:
        with transaction.atomic():
            sent = body.Sent("bench.order_paid", None, {"number": number}, using="default")
            recorder.record(body.write(sent, {}, limit=databases.limit), deliveries)

    return record


def insert_by_the_orm() -> Callable[[int], None]:
    """The same rows as most people would write them."""
    from django.db import transaction
    from django.utils import timezone

    from signalpost.django.models import Delivery, Message

    def insert(number: int) -> None:
        now = timezone.now()
        body = f'{{"named":{{"number":{number}}},"sender":null}}'
        with transaction.atomic():
            message = Message.objects.create(
                uid=uuid.uuid4(),
                topic="bench.order_paid",
                version=1,
                body=body,
                headers="{}",
                created_at=now,
            )
            Delivery.objects.create(
                message=message,
                receiver="bench.note",
                lane="default",
                slot=0,
                state=Delivery.State.READY,
                max_attempts=12,
                available_at=now,
            )

    return insert


def recording(count: int) -> Figures:
    """Nanoseconds of a send in its transaction, and of the inserts alone, sample by sample in turn."""
    contenders = {
        "signalpost": Shop().send,
        "recording alone": record_alone(),
        "plain inserts": insert_by_hand(),
        "the ORM's": insert_by_the_orm(),
    }
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(max(20, count // 50)):
        for name, contender in contenders.items():
            started = time.perf_counter_ns()
            for number in range(25):
                contender(number)
            samples[name].append((time.perf_counter_ns() - started) / 25)
    return {name: low_percentile(values) for name, values in samples.items()}


def delivering(count: int) -> Figures:
    """Deliveries a second by one worker with one thread: receivers that do nothing, of each kind."""
    kinds: dict[str, dict[str, Any]] = {
        "no-op": {},
        "atomic": {"atomic": True},
        "keyed": {"key": lambda number, **kwargs: number % 1000},
    }
    from signalpost.delivery.worker import Settings
    from signalpost.django.working import make_worker

    figures: Figures = {}
    for name, options in kinds.items():
        shop = Shop(**options)
        shop.backlog(count)
        worker = make_worker("default", Settings(once=True))
        started = time.perf_counter()
        done = worker.run().done
        figures[name] = done / (time.perf_counter() - started)
        assert done == count, f"{done} of {count} were delivered"
        shop.close()
    return figures


def waiting(count: int) -> Figures:
    """Milliseconds from the commit to the run, with a worker that has nothing else to do."""
    from signalpost.delivery.worker import Settings
    from signalpost.django.working import make_worker, poll_of

    shop = Shop()
    ran = threading.Event()
    times: list[float] = []
    shop.heard = lambda number: ran.set()
    worker = make_worker("default", Settings(poll=poll_of("default")))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        for number in range(count):
            # Idle for a moment that varies, so that the worker's looks aren't met in step.
            time.sleep(0.05 + 0.31 * (number * 0.618 % 1))
            ran.clear()
            shop.send(number)
            started = time.perf_counter()
            if not ran.wait(30):
                raise TimeoutError("A delivery wasn't run within 30 s")
            times.append((time.perf_counter() - started) * 1000)
    finally:
        worker.stop()
        thread.join()
    return {
        "median": statistics.median(times),
        "99 of 100": sorted(times)[max(0, int(len(times) * 0.99) - 1)],
    }


WHAT: Final[dict[str, Callable[[int], Figures]]] = {
    "recording": recording,
    "delivering": delivering,
    "waiting": waiting,
}


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", choices=DATABASES)
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    with project(options.database):
        print(json.dumps(WHAT[options.what](options.count)))


if __name__ == "__main__":
    main()
