"""A worker in a Django project: its connections, and what wakes it."""

from __future__ import annotations

import logging
import threading
from importlib import metadata
from typing import Any

from asgiref.sync import sync_to_async
from django.db import Error, connections
from django.db.backends.signals import connection_created

from signalpost.delivery.execution import Policy
from signalpost.delivery.running import Checks
from signalpost.delivery.waiting import Wake
from signalpost.delivery.worker import Settings, Worker
from signalpost.django.databases import CHANNEL
from signalpost.django.settings import configured
from signalpost.django.stores import store_for

logger: logging.Logger = logging.getLogger("signalpost.worker")

#: The longest time between two looks. PostgreSQL tells when there is work; the others are asked.
POLLS = {"postgresql": (0.02, 1.0), "sqlite": (0.005, 0.02), "mysql": (0.01, 0.02)}

#: libpq's PQTRANS_INERROR.
_ABORTED = 3

#: How often the listener sees whether it is to stop, in seconds.
LISTENING = 0.1


class ConnectionChecks(Checks):
    """Looks, after a receiver, whether this thread's connections are as they were before."""

    def __init__(self) -> None:
        self._own = {c.alias for c in _opened() if c.in_atomic_block}
        #: The connections of this thread, as of so many that all threads had made.
        self._known: tuple[int, list[Any]] = (-1, [])
        self._before: list[tuple[Any, tuple[Any, ...]]] = []

    def begin(self) -> None:
        """Note how the connections are."""
        self._before = [(each, _depth(each)) for each in self._connections()]

    def broken(self) -> str | None:
        """What the receiver left behind that loses its work."""
        before = self._before
        connections_now = self._connections()
        for place, connection in enumerate(connections_now):
            known = place < len(before) and before[place][0] is connection
            was = before[place][1] if known else (False, 0, False)
            left = _left_behind(connection, was)
            if left is not None:
                return left
        return None

    def _connections(self) -> list[Any]:
        count, known = self._known
        if count != _made.count:  # of which one may be ours
            count = _made.count
            self._known = count, _opened()
            known = self._known[1]
        return known

    def clean(self) -> bool:
        """Close what can't be used any more, so that it is opened again; whether there was any."""
        closed = False
        for connection in _opened():
            if connection.alias in self._own:
                continue  # a test's transaction, in which everything happens
            managed = connection.settings_dict["AUTOCOMMIT"]
            off = connection.connection is not None and managed and not connection.autocommit
            if connection.in_atomic_block or connection.closed_in_transaction or off:
                _open_anew(connection)
                closed = True
            elif connection.errors_occurred:
                try:
                    connection.close_if_unusable_or_obsolete()
                except Error:  # MySQL's: of a connection that is closed already
                    _open_anew(connection)
                closed = closed or connection.connection is None
        return closed

    async def aclean(self) -> None:
        """Async version of `clean`, for the thread that serves async receivers."""
        await sync_to_async(self.clean)()

    async def aend(self) -> None:
        """Close all connections of that thread."""
        await sync_to_async(connections.close_all)()


def _left_behind(connection: Any, before: tuple[Any, ...]) -> str | None:
    alias = connection.alias
    if connection.closed_in_transaction:
        return f"It closed the connection to '{alias}' inside a transaction."
    depth = _depth(connection)
    if depth[2] and not before[2]:
        return (
            f"It left the transaction on '{alias}' broken: a database error was caught inside "
            "an atomic block. Catch it around one."
        )
    if depth[:2] != before[:2]:
        return f"It left a transaction open on '{alias}'."
    if depth[0] or connection.autocommit or connection.connection is None:
        return None
    if connection.settings_dict["AUTOCOMMIT"]:
        return f"It left autocommit off on '{alias}', so that nothing was committed."
    return None


class _Made:
    """Counts the connections that were made: looking for them costs more than a short receiver."""

    def __init__(self) -> None:
        self.count = 0
        connection_created.connect(self.note, dispatch_uid="signalpost.working")

    def note(self, **kwargs: Any) -> None:
        """Another one."""
        self.count += 1


_made = _Made()


def _opened() -> list[Any]:
    return list(connections.all(initialized_only=True))


def _depth(connection: Any) -> tuple[bool, int, bool]:
    inside = connection.in_atomic_block
    broken = bool(connection.needs_rollback) or (inside and _is_undone(connection))
    return inside, len(connection.savepoint_ids), broken


def _is_undone(connection: Any) -> bool:
    """Whether PostgreSQL accepts nothing but a rollback, of which Django need not know.

    Others go on after an error, or the store has seen that they can't.
    """
    raw = connection.connection
    if raw is None or connection.vendor != "postgresql":
        return False
    status: int = raw.info.transaction_status  # psycopg 2 has it too
    return status == _ABORTED


def _open_anew(connection: Any) -> None:
    """Have the connection opened anew when it is used, in whatever state it is.

    It stays what the thread has under its alias: who closes that in the end, as Django's tests do
    with what they were begun with, is to close what is open.
    """
    raw, connection.connection = connection.connection, None
    connection.in_atomic_block = connection.needs_rollback = connection.closed_in_transaction = (
        False
    )
    connection.savepoint_ids, connection.atomic_blocks, connection.run_on_commit = [], [], []
    if raw is None:
        return
    try:
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            raw.rollback()  # with its last connection the database would be gone
            connection.connection = raw
            connection.set_autocommit(connection.settings_dict["AUTOCOMMIT"])
        else:
            raw.close()
    except Exception as error:  # noqa: BLE001 - whichever driver's
        logger.debug("A broken connection could not be closed: %r", error)


def poll_of(alias: str) -> tuple[float, float]:
    """The shortest and the longest time between two looks into that database."""
    return POLLS[connections[alias].vendor]


def policy_for(alias: str) -> Policy:
    """How the deliveries of a database are run."""
    return Policy(using=alias, sensitive=frozenset(configured("SENSITIVE")))


def make_worker(alias: str, settings: Settings, **options: Any) -> Worker:
    """A worker on the deliveries of that database. Raises a RecordingError where there are none."""
    vendor = connections[alias].vendor
    return Worker(
        store_for(alias),
        settings,
        policy_for(alias),
        version=metadata.version("signalpost"),
        checks=ConnectionChecks,
        listen=Listener(alias) if vendor == "postgresql" else None,
        end_thread=connections.close_all,
        **options,
    )


class Listener:
    """Wakes a worker when PostgreSQL tells that something was committed."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def __call__(self, wake: Wake, stopped: threading.Event) -> None:
        """Listen until stopped, over a connection of its own."""
        while not stopped.is_set():
            connection: Any = connections[self.alias].copy()
            try:
                self._listen(connection, wake, stopped)
            except Exception as error:  # noqa: BLE001 - a hint only: the worker polls meanwhile
                logger.debug("No hints from the database for now: %s", error)
                stopped.wait(1.0)
            finally:
                connection.close()

    def _listen(self, connection: Any, wake: Wake, stopped: threading.Event) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        while not stopped.is_set():
            for _ in connection.connection.notifies(timeout=LISTENING, stop_after=1):
                wake.set()
