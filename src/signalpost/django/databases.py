"""Where a durable delivery is recorded, and the hint to workers once it is committed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connections, transaction
from django.db.models import QuerySet
from django.db.models.signals import post_delete
from django.db.utils import OperationalError

from signalpost.delivery.body import Sent
from signalpost.delivery.store import NewDelivery, NewMessage
from signalpost.dispatch.names import receiver_name, signal_name
from signalpost.django.settings import configured
from signalpost.django.signals import post_update
from signalpost.django.stores import store_for
from signalpost.django.stores.base import DELIVERY, DatabaseStore
from signalpost.exceptions import RecordingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signalpost.dispatch.rules import Call

_ORIGINS: dict[object, tuple[str, ...]] = {post_delete: ("origin",), post_update: ("queryset",)}
#: The channel of PostgreSQL's NOTIFY. It carries nothing.
CHANNEL = "signalpost"
#: One hint in so many seconds is enough: a worker that was woken looks again that often.
HINT_EVERY = 0.02


class DjangoDatabases:
    """What recording needs of Django's databases: `signalpost.delivery.durable.Databases`."""

    def alias(self, call: Call, using: str | None) -> str:
        """The database of the change: what the signal sends, what the receiver says, the default.

        Raises a RecordingError where the transaction that is open is another database's.
        """
        sent = call.named.get("using")
        if isinstance(sent, str) and sent in connections:
            return sent
        if using is not None:
            if using not in connections:
                raise RecordingError(
                    f"'{receiver_name(call.receiver)}' is connected with using={using!r}, but DATABASES "
                    f"has {', '.join(connections)}."
                )
            return using
        if not connections[DEFAULT_DB_ALIAS].in_atomic_block:
            opened = [c.alias for c in connections.all(initialized_only=True) if c.in_atomic_block]
            if opened:
                raise RecordingError(
                    f"Cannot record signal '{signal_name(call.signal)}' for durable receiver "
                    f"'{receiver_name(call.receiver)}': a transaction is open on database "
                    f"'{opened[0]}', but the signal doesn't say which database it is about, and "
                    f"'{DEFAULT_DB_ALIAS}' would keep the delivery whatever becomes of the transaction. "
                    f"Send it with using={opened[0]!r}, or connect the receiver with that."
                )
        return DEFAULT_DB_ALIAS

    def store(self, alias: str) -> Recorder:
        """The store of that database, which wakes its workers after the commit."""
        return Recorder(store_for(alias))

    def payload(self, call: Call, topic: str, alias: str) -> Sent:
        """The sender and the payload, as they are to be stored in that database."""
        named = dict(call.named)
        signal = cast("object", call.signal)
        # What `delete` or `update` was called on. A queryset can't be asked again: its rows aren't
        # what they were. An origin that is an instance is deleted too.
        for name in _ORIGINS.get(signal, ()):
            if isinstance(named.get(name), QuerySet):
                named[name] = None
        return Sent(topic, call.sender, named, snapshots=signal is post_delete, using=alias)

    def limit(self) -> int:
        """The most bytes that a body may have."""
        return int(configured("PAYLOAD_LIMIT"))


class Recorder:
    """Records in a store, and has its workers told after the commit."""

    def __init__(self, store: DatabaseStore) -> None:
        self.store = store

    def record(self, message: NewMessage, deliveries: Sequence[NewDelivery]) -> None:
        """Write a message and its deliveries. Raises a RecordingError where the tables are missing."""
        if "<" in message.topic or len(message.topic) > 255:  # noqa: PLR2004 - the column's width
            raise RecordingError(
                f"Signal {message.topic!r} has no name that its deliveries could be stored under. Bind "
                'it to a variable of a module, or name it: Signal(name="shop.order_paid").'
            )
        try:
            self.store.record(message, deliveries)
        except (ProgrammingError, OperationalError) as error:
            alias = self.store.alias
            if not _is_missing_table(error):
                raise
            raise RecordingError(
                f"Database '{alias}' has no tables for durable deliveries. Make them: "
                f"manage.py migrate signalpost --database {alias}."
            ) from error
        if self.store.tells:
            _hint_after_commit(self.store.alias)


_hinted: dict[str, float] = {}


def _hint_after_commit(alias: str) -> None:
    connection: Any = connections[alias]
    if not connection.in_atomic_block and not connection.get_autocommit():
        return  # a transaction that Django doesn't manage, and so doesn't know the end of
    if connection.in_atomic_block and any(
        callback is _hints.get(alias) for _, callback, *_ in connection.run_on_commit[-1:]
    ):
        return  # the transaction has one at its end already
    transaction.on_commit(_hints.setdefault(alias, lambda: _hint(alias)), using=alias, robust=True)


_hints: dict[str, Any] = {}


def _hint(alias: str) -> None:
    """Tell those who listen that there is work. Not inside the transaction, where NOTIFY costs most."""
    now = time.monotonic()
    if now - _hinted.get(alias, -1.0) < HINT_EVERY:
        return
    _hinted[alias] = now
    with connections[alias].cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


def _is_missing_table(error: Exception) -> bool:
    code = getattr(error.__cause__, "sqlstate", None) or (error.args[0] if error.args else None)
    return (
        code in ("42P01", 1146)
        or "no such table: signalpost_" in str(error)
        or (DELIVERY in str(error) and "does not exist" in str(error))
    )
