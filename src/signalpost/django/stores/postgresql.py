"""PostgreSQL, 13 or newer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from signalpost.delivery.store import (
    CLAIMED,
    READY,
    SLOTS,
    UNKEYED,
    WORKER_LOST,
    Claim,
    NewDelivery,
    NewMessage,
    Owed,
)
from signalpost.django.stores.base import DatabaseStore
from signalpost.django.stores.progress import Mark, Progress
from signalpost.django.stores.tables import DELIVERY, INSERT_DELIVERIES, MESSAGE


class PostgreSQLStore(DatabaseStore):
    """A store in PostgreSQL. A claim is one statement; recording a send is one too."""

    # Not clock_timestamp(), which is volatile, so that no index could be searched for it.
    now = "statement_timestamp()"
    later = "statement_timestamp() + %s * interval '1 second'"
    skip_locked = " FOR UPDATE SKIP LOCKED"
    tells = True
    insert_slots = (
        "INSERT INTO signalpost_slot (lane, slot, fence, owner) VALUES {values} "
        "ON CONFLICT DO NOTHING"
    )

    def __init__(self, alias: str, *, slots: int = SLOTS) -> None:
        super().__init__(alias, slots=slots)
        self.progress: Progress = Progress()

    def record(self, message: NewMessage, deliveries: Sequence[NewDelivery]) -> None:
        """Write a message and its deliveries: one statement, so one transaction in any case."""
        connection = self.connection
        values = self.message_parameters(connection, message, deliveries)
        for each in deliveries:
            values += self.delivery_parameters(each)
        with connection.cursor() as cursor:
            cursor.execute(self.recording(len(deliveries)), values)

    @cached_property
    def recording(self) -> Callable[[int], str]:
        """Gives the statement that writes a message and so many deliveries."""
        row = f"(%s, %s, %s::integer, %s::varchar, %s::integer, {self.later})"
        start = (
            f"WITH m AS ({self.insert_message} RETURNING id) {INSERT_DELIVERIES} "
            f"SELECT m.id, d.receiver, d.lane, d.slot, d.ordering_key, '{READY}', 0, "
            "d.max_attempts, d.available_at, 0, '', '' FROM m, (VALUES "
        )
        end = ") AS d (receiver, lane, slot, ordering_key, max_attempts, available_at)"

        @cache
        def statement(count: int) -> str:
            return start + ", ".join([row] * count) + end

        return statement

    @staticmethod
    def first(column: str, rows: str) -> str:
        """The least value of the rows, or NULL, in one step.

        Not min(), for which PostgreSQL reads them all where it knows of none yet: in a new table, until
        it is analysed (measured: 250 ms with 860,000 rows).
        """
        return f"(SELECT {column} {rows} ORDER BY {column} LIMIT 1)"

    def claim(self, lane: str, *, limit: int, owner: str, lease: float) -> Claim:
        """Take deliveries without a key that are due, the oldest first.

        While there are many, some that have become due before those wait for up to a second.
        """
        behind = self.progress.of(lane)
        found = self._claim(lane, limit, owner, lease, behind)
        if not found and behind is not None:
            behind = None
            found = self._claim(lane, limit, owner, lease, behind)
        last = max((mark for _, mark in found), default=None) if len(found) == limit else None
        self.progress.note(lane, last, behind=behind)
        return Claim(sorted(owed for owed, _ in found))

    def _claim(
        self, lane: str, limit: int, owner: str, lease: float, behind: Mark | None
    ) -> list[tuple[Owed, Mark]]:
        beyond = "" if behind is None else "AND (available_at, id) > (%s, %s) "
        with self.cursor() as cursor:
            cursor.execute(
                f"WITH c AS MATERIALIZED (SELECT id FROM {DELIVERY} WHERE state = '{READY}' "
                f"AND lane = %s AND slot = {UNKEYED} AND available_at <= {self.now} {beyond}"
                f"ORDER BY available_at, id LIMIT %s{self.skip_locked}) "
                f"UPDATE {DELIVERY} d SET state = '{CLAIMED}', attempts = d.attempts + 1, "
                f"fence = d.fence + 1, lease_until = {self.later}, claimed_by = %s "
                f"FROM c, {MESSAGE} m WHERE d.id = c.id AND m.id = d.message_id "
                "RETURNING d.id, m.uid, m.topic, m.version, m.body, m.headers, m.created_at, "
                "d.receiver, d.lane, d.slot, d.ordering_key, d.attempts, d.max_attempts, d.fence, "
                "d.last_error = %s, d.available_at",
                [lane, *(behind or ()), limit, self.seconds(lease), owner, WORKER_LOST],
            )
            return [(Owed(*row[:-1]), Mark(row[-1], row[0])) for row in cursor.fetchall()]

    def has_more(self, lane: str) -> bool:
        """Whether it is known without a look that deliveries without a key are due."""
        return self.progress.of(lane) is not None

    def time(self, value: Any) -> datetime:
        """A time, which has its zone."""
        return value  # type: ignore[no-any-return]  # psycopg's datetime
