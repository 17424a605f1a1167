"""SQLite, 3.35 or newer: one writer at a time, and no lock that could be skipped."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from signalpost.delivery.store import CLAIMED, READY, UNKEYED, Claim
from signalpost.django.stores import undone
from signalpost.django.stores.base import DatabaseStore
from signalpost.django.stores.tables import CLAIMED_COLUMNS, DELIVERY

_FORMAT = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now'"


class SQLiteStore(DatabaseStore):
    """A store in SQLite. Its clock is the machine's, to the millisecond."""

    now = f"{_FORMAT})"
    later = f"{_FORMAT}, %s)"
    insert_slots = (
        "INSERT OR IGNORE INTO signalpost_slot (lane, slot, fence, owner) VALUES {values}"
    )

    def claim(self, lane: str, *, limit: int, owner: str, lease: float) -> Claim:
        """Take deliveries without a key that are due, the oldest first."""
        with self.cursor() as cursor:
            cursor.execute(
                f"UPDATE {DELIVERY} SET state = '{CLAIMED}', attempts = attempts + 1, "
                f"fence = fence + 1, lease_until = {self.later}, claimed_by = %s WHERE id IN ("
                f"SELECT id FROM {DELIVERY} WHERE state = '{READY}' AND lane = %s "
                f"AND slot = {UNKEYED} AND available_at <= {self.now} "
                f"ORDER BY available_at, id LIMIT %s) RETURNING {CLAIMED_COLUMNS}",
                [self.seconds(lease), owner, lane, limit],
            )
            return Claim(self.owed(cursor, cursor.fetchall()))

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction that writes from its start; inside one, a savepoint.

        One that reads first and then finds somebody else writing fails at once, whatever the
        timeout.
        """
        if self.connection.in_atomic_block:
            return undone.noting(self.alias, undone.by_sqlite)
        return self._immediate()

    @contextmanager
    def _immediate(self) -> Generator[None, None, None]:
        connection = self.connection
        connection.ensure_connection()  # which sets the mode
        mode, connection.transaction_mode = connection.transaction_mode, "IMMEDIATE"
        try:
            with undone.noting(self.alias, undone.by_sqlite):
                yield
        finally:
            connection.transaction_mode = mode

    def seconds(self, value: float) -> Any:
        """The parameter of `later`: a modifier of SQLite's."""
        return f"{value:+.3f} seconds"

    def time(self, value: Any) -> datetime:
        """A time as it is stored, in UTC."""
        parsed = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
