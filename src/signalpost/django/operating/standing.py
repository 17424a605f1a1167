"""How things stand: what is owed in each queue, and who works on it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from signalpost.delivery import receivers
from signalpost.delivery.store import BLOCKED, CLAIMED, DEAD, READY, UNSETTLED
from signalpost.django.operating.databases import database_time
from signalpost.django.settings import configured
from signalpost.django.stores import store_for
from signalpost.django.stores.base import DELIVERY, DatabaseStore

#: The version of the shape that `as_data` gives, which the documentation describes.
VERSION = 1
#: A worker that gave no sign for so many seconds is taken for lost. It gives one each 10 s.
LOST_AFTER = 60.0
_STATES = ", ".join(f"'{state}'" for state in UNSETTLED)


@dataclass(frozen=True)
class Queue:
    """What is owed in one queue."""

    name: str
    #: Due, and waiting for a worker.
    ready: int = 0
    #: Not due yet: delayed, or to be tried again.
    later: int = 0
    claimed: int = 0
    #: Waiting for an earlier one of their key.
    blocked: int = 0
    dead: int = 0
    #: For how long the oldest of `ready` has been due.
    oldest_due_seconds: float | None = None
    paused: bool = False

    @property
    def owed(self) -> int:
        """How many will be run, if nobody intervenes."""
        return self.ready + self.later + self.claimed + self.blocked


@dataclass(frozen=True)
class Working:
    """A worker, by its latest sign of life."""

    name: str
    host: str
    pid: int
    version: str
    #: None: all.
    queues: tuple[str, ...] | None
    heartbeat_seconds: float
    running_seconds: float
    done: int
    retried: int
    dead: int
    #: The seconds of its leases.
    lease: float

    @property
    def is_lost(self) -> bool:
        """Whether it has given no sign for too long."""
        return self.heartbeat_seconds > LOST_AFTER

    def works_on(self, queue: str) -> bool:
        """Whether the queue is one of its."""
        return self.queues is None or queue in self.queues


@dataclass(frozen=True)
class Standing:
    """The queues and workers of one database."""

    database: str
    queues: tuple[Queue, ...]
    workers: tuple[Working, ...]

    @property
    def alive(self) -> list[Working]:
        """The workers that aren't lost."""
        return [worker for worker in self.workers if not worker.is_lost]

    def unworked(self) -> list[Queue]:
        """The queues in which something is owed, and which nobody works on."""
        return [
            queue
            for queue in self.queues
            if queue.owed and not any(worker.works_on(queue.name) for worker in self.alive)
        ]


def standing(alias: str) -> Standing:
    """How things stand in a database. Reads all that isn't settled, once."""
    store = store_for(alias)
    now = database_time(store)
    return Standing(alias, tuple(_queues(store, now)), tuple(_workers(store, now)))


def as_data(found: Standing) -> dict[str, Any]:
    """The same in JSON's types."""
    data = asdict(found)
    for worker, seen in zip(data["workers"], found.workers, strict=True):
        worker["lost"] = seen.is_lost
    return {"version": VERSION, **data}


def _queues(store: DatabaseStore, now: datetime) -> Iterable[Queue]:
    paused = store.paused()
    declared = {durable.options.queue for durable in receivers.known()}
    found = {name: Queue(name, paused=name in paused) for name in paused | declared}
    with store.cursor() as cursor:
        cursor.execute(
            f"SELECT lane, state, CASE WHEN available_at <= {store.now} THEN 1 ELSE 0 END, count(*), "
            f"min(available_at) FROM {DELIVERY} WHERE state IN ({_STATES}) GROUP BY 1, 2, 3",
            [],
        )
        for lane, state, due, count, since in cursor.fetchall():
            queue = found.get(lane, Queue(lane))
            found[lane] = _counted(queue, state, bool(due), count, _age(store, now, since))
    return [found[name] for name in sorted(found)]


def _counted(queue: Queue, state: str, due: bool, count: int, age: float) -> Queue:
    if state == READY:
        if not due:
            return replace(queue, later=count)
        return replace(queue, ready=count, oldest_due_seconds=age)
    name = {CLAIMED: "claimed", BLOCKED: "blocked", DEAD: "dead"}[state]
    changes: dict[str, Any] = {name: getattr(queue, name) + count}
    return replace(queue, **changes)


def _workers(store: DatabaseStore, now: datetime) -> Iterable[Working]:
    with store.cursor() as cursor:
        cursor.execute(
            "SELECT name, host, pid, version, lanes, stats, started_at, heartbeat_at "
            "FROM signalpost_worker ORDER BY started_at, name"
        )
        for name, host, pid, version, lanes, stats, started, beat in cursor.fetchall():
            # A worker of an older version doesn't tell all of it.
            told: dict[str, Any] = {
                "done": 0,
                "retried": 0,
                "dead": 0,
                "lease": configured("LEASE"),
            }
            told |= json.loads(stats)
            yield Working(
                name=name,
                host=host,
                pid=pid,
                version=version,
                queues=tuple(json.loads(lanes)) or None,
                heartbeat_seconds=_age(store, now, beat),
                running_seconds=_age(store, now, started),
                done=told["done"],
                retried=told["retried"],
                dead=told["dead"],
                lease=told["lease"],
            )


def _age(store: DatabaseStore, now: datetime, since: Any) -> float:
    return round(max(0.0, (now - store.time(since)).total_seconds()), 3)
