"""Many deliveries, made by the database itself, and what it has to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from signalpost.delivery.store import DEAD, READY, UNKEYED, slot_of
from signalpost.django.stores import store_for
from signalpost.django.stores.base import DELIVERY, MESSAGE

KEYS = 16
_UID = {
    "postgresql": "gen_random_uuid()",
    "mysql": "UUID()",
    "sqlite": "lower(hex(randomblob(16)))",
}
_ANALYZE = {"postgresql": "ANALYZE {}", "mysql": "ANALYZE TABLE {}"}


class Backlog:
    """Deliveries in a database, so many of each kind."""

    def __init__(self, alias: str, count: int) -> None:
        self.alias = alias
        self.store = store_for(alias)
        self.count = count
        self.used = 0

    def fill(self) -> None:
        """The dead in front, then what is due, what has keys, what is for later."""
        self._messages((6 + KEYS) * self.count)
        self.add("tests.dead", DEAD)
        self.add("tests.dead", DEAD, key="dead")
        self.add("tests.plain")
        self.add("tests.keyed", key="hot")
        for number in range(KEYS):
            self.add("tests.keyed", key=f"key {number}")
        self.add("tests.plain", lane="later", seconds=86_400)
        self.add("tests.keyed", lane="later", key="later", seconds=86_400)

    def analyze(self) -> None:
        """Have the database look at what there is, to plan by it."""
        with self.store.cursor() as cursor:
            for table in (DELIVERY, MESSAGE):
                cursor.execute(_ANALYZE[self.store.connection.vendor].format(table))
                if cursor.description:
                    cursor.fetchall()

    def _messages(self, count: int) -> None:
        uid = _UID[self.store.connection.vendor]
        columns = "uid, topic, version, body, headers, created_at"
        values = f"{uid}, 'tests.paid', 1, '{{}}', '{{}}', {self.store.now}"
        with self.store.part(), self.store.cursor() as cursor:
            cursor.execute(f"INSERT INTO {MESSAGE} ({columns}) VALUES ({values})", [])
            made = 1
            while made < count:
                more = min(made, count - made)
                cursor.execute(
                    f"INSERT INTO {MESSAGE} ({columns}) SELECT {values} FROM {MESSAGE} LIMIT %s",
                    [more],
                )
                made += more

    def add(
        self,
        receiver: str,
        state: str = READY,
        *,
        key: str | None = None,
        lane: str = "default",
        seconds: float = -60.0,
    ) -> None:
        """So many of this kind."""
        slot = UNKEYED if key is None else slot_of(receiver, key)
        store = self.store
        with store.part(), store.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {DELIVERY} (message_id, receiver, lane, slot, ordering_key, state, "
                "attempts, max_attempts, available_at, fence, claimed_by, last_error) "
                f"SELECT id, %s, %s, %s, {'NULL' if key is None else '%s'}, %s, 0, 3, {store.later}, "
                f"0, '', '' FROM {MESSAGE} ORDER BY id LIMIT %s OFFSET %s",
                [
                    receiver,
                    lane,
                    slot,
                    *([] if key is None else [key]),
                    state,
                    store.seconds(seconds),
                    self.count,
                    self.used,
                ],
            )
        self.used += self.count


def read(alias: str, call: Callable[[], Any]) -> int:
    """How much of the deliveries the database reads for the call, whose work is undone.

    By what the database counts: PostgreSQL's pages, MariaDB's rows, SQLite's instructions by the
    hundred.
    """
    with transaction.atomic(using=alias):
        with _counting(alias) as count:
            call()
            counted = count()
        transaction.set_rollback(True, using=alias)
    store_for(alias).noted.clear()
    return counted


@contextmanager
def _counting(alias: str) -> Iterator[Callable[[], int]]:
    connection: Any = connections[alias]
    if connection.vendor == "sqlite":
        steps = [0]

        def step() -> None:
            steps[0] += 1

        connection.ensure_connection()
        connection.connection.set_progress_handler(step, 100)
        try:
            yield lambda: steps[0]
        finally:
            connection.connection.set_progress_handler(None, 0)
        return
    statement = {
        "postgresql": "SELECT sum(pg_stat_get_xact_blocks_fetched(oid)) FROM pg_class "
        f"WHERE relname LIKE '{DELIVERY}%' AND relkind IN ('r', 'i')",
        "mysql": "SELECT sum(variable_value) FROM information_schema.session_status "
        "WHERE variable_name LIKE 'Handler_read%'",
    }[connection.vendor]

    def total() -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.fetchone()[0] or 0)

    before = total()
    yield lambda: total() - before
