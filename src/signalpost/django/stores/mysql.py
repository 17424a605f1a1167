"""MariaDB, 10.6 or newer, and MySQL, 8.0.11 or newer."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from signalpost.delivery.store import READY, UNKEYED, Claim
from signalpost.django.stores import undone
from signalpost.django.stores.base import DatabaseStore
from signalpost.django.stores.tables import CLAIMED_COLUMNS, DELIVERY


class MySQLStore(DatabaseStore):
    """A store in MariaDB or MySQL, in READ COMMITTED, which is Django's default there."""

    now = "UTC_TIMESTAMP(6)"
    later = "UTC_TIMESTAMP(6) + INTERVAL %s MICROSECOND"
    skip_locked = " FOR UPDATE SKIP LOCKED"
    from_nothing = " FROM DUAL"
    insert_slots = "INSERT IGNORE INTO signalpost_slot (lane, slot, fence, owner) VALUES {values}"
    # By their bytes too: the usual collations find "a" in "A" and in "a ". By their ids, so that the
    # answer for the one isn't taken from MariaDB's cache of subqueries for the other.
    is_key = "ordering_key = %s AND CAST(ordering_key AS BINARY) = %s"
    same_key = (
        "d.ordering_key = r.ordering_key "
        "AND CAST(d.ordering_key AS BINARY) = CAST(r.ordering_key AS BINARY) AND d.id <> r.id"
    )
    state_alone = "CONCAT(state, '')"
    key_exactly = "ordering_key, CAST(ordering_key AS BINARY)"

    def claim(self, lane: str, *, limit: int, owner: str, lease: float) -> Claim:
        """Take deliveries without a key that are due, the oldest first."""
        with self.part(), self.cursor() as cursor:
            cursor.execute(
                f"SELECT {CLAIMED_COLUMNS} FROM {DELIVERY} WHERE state = '{READY}' AND lane = %s "
                f"AND slot = {UNKEYED} AND available_at <= {self.now} "
                f"ORDER BY available_at, id LIMIT %s{self.skip_locked}",
                [lane, limit],
            )
            rows = [
                # As they are after `take`: attempts and fence count on.
                (*row[:6], row[6] + 1, row[7], row[8] + 1, row[9])
                for row in cursor.fetchall()
            ]
            if not rows:
                return Claim()
            self.take(cursor, [row[0] for row in rows], owner, lease)
            return Claim(self.owed(cursor, rows))

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction, which is over once the database has taken it back; inside one, a savepoint."""
        return undone.noting(self.alias, undone.by_mysql)

    def seconds(self, value: float) -> Any:
        """The parameter of `later`: microseconds."""
        return round(value * 1_000_000)

    def time(self, value: Any) -> datetime:
        """A time as it is stored, in UTC."""
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]  # a datetime
        return value  # type: ignore[no-any-return]  # a datetime
