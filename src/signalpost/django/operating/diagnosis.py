"""What `manage.py signalpost doctor` finds, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError

from signalpost.delivery.store import CLAIMED, DEAD
from signalpost.django.operating import databases, leases
from signalpost.django.operating.keys import unknown_keys
from signalpost.django.operating.standing import Standing, standing
from signalpost.django.operating.wording import age, deliveries
from signalpost.django.settings import configured
from signalpost.django.stores import store_for
from signalpost.django.stores.base import DELIVERY, DatabaseStore
from signalpost.exceptions import RecordingError

ERROR, WARNING = "error", "warning"
#: How far the clocks may be apart, in seconds. Only what people read off them suffers.
CLOCKS_APART = 5.0


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and what to do about it."""

    level: str
    #: What kind of finding it is: one word, which stays.
    about: str
    message: str
    hint: str


def diagnose(alias: str) -> list[Finding]:
    """All that is wrong with the durable deliveries of a database, errors first."""
    return sorted(_findings(alias), key=lambda finding: finding.level != ERROR)


def _findings(alias: str) -> Iterator[Finding]:
    for fault in databases.sqlite_faults(alias):
        yield Finding(ERROR, "sqlite", fault.message, fault.hint)
    try:
        store = store_for(alias)
        missing = databases.missing_tables(alias)
    except RecordingError as error:
        yield Finding(ERROR, "database", str(error), "Use another database.")
        return
    except DatabaseError as error:
        text = str(error).strip().partition("\n")[0]
        yield Finding(
            ERROR,
            "database",
            f"Database '{alias}' can't be reached: {text}",
            "See whether it runs, and what DATABASES says of it.",
        )
        return
    if missing:
        yield Finding(
            ERROR,
            "tables",
            f"Database '{alias}' has no table {', '.join(missing)}.",
            f"Make them: manage.py migrate signalpost --database {alias}",
        )
        return
    journal = databases.journal_fault(alias)
    if journal is not None:
        yield Finding(ERROR, "sqlite", journal.message, journal.hint)
    yield from _clocks(store)
    found = standing(alias)
    lease = min((worker.lease for worker in found.alive), default=configured("LEASE"))
    for long_run in leases.longer_than(lease):
        yield Finding(WARNING, "leases", long_run.message, long_run.hint)
    for unknown in unknown_keys(store):
        yield Finding(ERROR, "receivers", unknown.message, unknown.hint)
    yield from _queues(found)
    yield from _workers(found)
    yield from _lapsed(store)
    yield from _dead(store)


def _clocks(store: DatabaseStore) -> Iterator[Finding]:
    apart = (databases.database_time(store) - datetime.now(UTC)).total_seconds()
    if abs(apart) > CLOCKS_APART:
        yield Finding(
            WARNING,
            "clocks",
            f"The clock of database '{store.alias}' is {age(abs(apart))} "
            f"{'ahead of' if apart > 0 else 'behind'} this machine's.",
            "Have both set by NTP. Deliveries go by the database's clock alone, so none is early or "
            "late, but the times in logs and in the database don't match.",
        )


def _queues(found: Standing) -> Iterator[Finding]:
    for queue in found.queues:
        if queue.paused and queue.owed:
            yield Finding(
                WARNING,
                "paused",
                f"Queue '{queue.name}' is paused, with {deliveries(queue.owed)}.",
                f"manage.py signalpost resume {queue.name}",
            )
    for queue in found.unworked():
        yield Finding(
            ERROR,
            "queues",
            f"Queue '{queue.name}' has {deliveries(queue.owed)}, and no worker works on it.",
            f"Start one: manage.py signalpost worker --queue {queue.name}",
        )


def _workers(found: Standing) -> Iterator[Finding]:
    for worker in found.workers:
        if worker.is_lost:
            yield Finding(
                WARNING,
                "workers",
                f"Worker '{worker.name}' gave its last sign of life {age(worker.heartbeat_seconds)} ago, "
                "and has not said that it ended.",
                f"See whether process {worker.pid} on {worker.host} hangs. If it was killed, nothing is "
                "lost: others take over. manage.py signalpost prune forgets it after a day.",
            )


def _lapsed(store: DatabaseStore) -> Iterator[Finding]:
    with store.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {DELIVERY} WHERE state = '{CLAIMED}' AND lease_until < {store.later}",
            [store.seconds(-30.0)],  # workers look each 5 s
        )
        count = int(cursor.fetchone()[0])
    if count:
        yield Finding(
            ERROR,
            "lapsed",
            f"{deliveries(count)} {'has' if count == 1 else 'have'} a lease that has lapsed, and no "
            "worker takes over.",
            "Start a worker: whichever queue it works on, it makes them ready again.",
        )


def _dead(store: DatabaseStore) -> Iterator[Finding]:
    with store.cursor() as cursor:
        cursor.execute(
            f"SELECT receiver, count(*) FROM {DELIVERY} WHERE state = '{DEAD}' "
            "GROUP BY receiver ORDER BY receiver"
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    for receiver, count in rows:
        yield Finding(
            WARNING,
            "dead",
            f"{deliveries(count)} to '{receiver}' {'is' if count == 1 else 'are'} dead.",
            "See last_error in the admin, or in signalpost_delivery. Then: manage.py signalpost retry "
            f"--receiver {receiver}, or cancel",
        )
