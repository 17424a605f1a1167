"""The store of one database, in the SQL that all of them speak; the dialects add the rest.

Written by hand: the ORM has no UPDATE ... RETURNING and no SKIP LOCKED for one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from operator import itemgetter
from typing import Any, ClassVar

from django.db import connections, transaction
from django.db.models.fields import UUIDField

from signalpost.delivery.store import (
    BLOCKED,
    CLAIMED,
    DEAD,
    DONE,
    READY,
    SLOTS,
    UNKEYED,
    WORKER_LOST,
    Beat,
    Claim,
    Finished,
    NewDelivery,
    NewMessage,
    Owed,
    Slot,
    slot_of,
)
from signalpost.django.stores import keyed

DELIVERY, MESSAGE = "signalpost_delivery", "signalpost_message"
#: What `Owed` is made of, in its order but for the message's columns.
CLAIMED_COLUMNS = (
    "id, message_id, receiver, lane, slot, ordering_key, attempts, max_attempts, fence, last_error"
)
#: How many rows one statement of housekeeping touches.
BATCH = 1000
_uid = UUIDField()


class DatabaseStore:
    """A store in the tables of `signalpost.django.models`: `signalpost.delivery.store.Store`."""

    #: The database's clock, and the clock some seconds later, which `seconds` gives the parameter of.
    now: ClassVar[str]
    later: ClassVar[str]
    #: Behind a SELECT whose rows nobody else is to have.
    skip_locked: ClassVar[str] = ""
    #: Behind a SELECT from no table.
    from_nothing: ClassVar[str] = ""
    #: Makes a slot's row, if there is none.
    insert_slot: ClassVar[str]

    def __init__(self, alias: str, *, slots: int = SLOTS) -> None:
        self.alias = alias
        self.slots = slots
        #: By lane, when slots were last looked for, by the monotonic clock.
        self.noted: dict[str, float] = {}

    # ------------------------------------------------------------------------------- recording

    def record(self, message: NewMessage, deliveries: Sequence[NewDelivery]) -> None:
        """Write a message and its deliveries, in the caller's transaction where there is one."""
        with self.part(), self.cursor() as cursor:
            cursor.execute(self.insert_message, self.message_parameters(message, deliveries))
            self._insert_deliveries(cursor, cursor.lastrowid, deliveries)

    @property
    def insert_message(self) -> str:
        """The statement that writes a message."""
        return (
            f"INSERT INTO {MESSAGE} (uid, topic, version, ordering_key, body, headers, created_at) "
            f"VALUES (%s, %s, %s, %s, %s, %s, {self.now})"
        )

    def message_parameters(
        self, message: NewMessage, deliveries: Sequence[NewDelivery]
    ) -> list[Any]:
        """What `insert_message` takes."""
        key = next((each.key for each in deliveries if each.key is not None), None)
        uid = _uid.get_db_prep_value(message.uid, self.connection)
        return [uid, message.topic, message.version, key, message.body, message.headers]

    def _insert_deliveries(
        self, cursor: Any, message_id: int, deliveries: Sequence[NewDelivery]
    ) -> None:
        row = f"(%s, %s, %s, %s, %s, '{READY}', 0, %s, {self.later}, 0, '', '')"
        values: list[Any] = []
        for each in deliveries:
            values += [message_id, *self.delivery_parameters(each)]
        cursor.execute(
            f"INSERT INTO {DELIVERY} (message_id, receiver, lane, slot, ordering_key, state, "
            f"attempts, max_attempts, available_at, fence, claimed_by, last_error) "
            f"VALUES {', '.join([row] * len(deliveries))}",
            values,
        )

    def delivery_parameters(self, new: NewDelivery) -> list[Any]:
        """The values of one delivery's row."""
        slot = UNKEYED if new.key is None else slot_of(new.receiver, new.key, self.slots)
        return [new.receiver, new.lane, slot, new.key, new.max_attempts, self.seconds(new.delay)]

    # -------------------------------------------------------------------------------- claiming

    def lanes(self) -> list[str]:
        """The lanes that have deliveries which are ready: one step in the index for each."""
        found: list[str] = []
        with self.cursor() as cursor:
            while True:
                beyond = " AND lane > %s" if found else ""
                cursor.execute(
                    f"SELECT min(lane) FROM {DELIVERY} WHERE state = '{READY}'{beyond}",
                    found[-1:],
                )
                (lane,) = cursor.fetchone()
                if lane is None:
                    return found
                found.append(lane)

    def due(self, lanes: Sequence[str]) -> list[tuple[str, bool]]:
        """The lanes with something due, each with whether that has keys: one statement for all."""
        if not lanes:
            return []
        parts: list[str] = []
        values: list[Any] = []
        for lane in lanes:
            for keyed_one, condition in ((0, f"slot = {UNKEYED}"), (1, f"slot > {UNKEYED}")):
                # Its own SELECT, since a LIMIT in a UNION is written in as many ways as there are
                # databases.
                parts.append(
                    f"SELECT %s AS lane, {keyed_one} AS keyed{self.from_nothing} "
                    f"WHERE EXISTS (SELECT 1 FROM {DELIVERY} WHERE state = '{READY}' AND lane = %s AND {condition} "
                    f"AND available_at <= {self.now})"
                )
                values += [lane, lane]
        with self.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            return [(lane, bool(is_keyed)) for lane, is_keyed in cursor.fetchall()]

    def claim(self, lane: str, *, limit: int, owner: str, lease: float) -> Claim:
        """Take deliveries without a key that are due, the oldest first."""
        raise NotImplementedError

    def claim_keyed(
        self, lane: str, *, limit: int, owner: str, lease: float, blocks: Callable[[str], bool]
    ) -> Claim:
        """Take slots with something due, and of each key in them what may run, in order."""
        return keyed.claim(self, lane, limit=limit, owner=owner, lease=lease, blocks=blocks)

    def take(self, cursor: Any, ids: Sequence[int], owner: str, lease: float) -> None:
        """Claim these rows, which nobody else can claim just now, if they are ready still."""
        cursor.execute(
            f"UPDATE {DELIVERY} SET state = '{CLAIMED}', attempts = attempts + 1, fence = fence + 1, "
            f"lease_until = {self.later}, claimed_by = %s WHERE id IN ({marks(ids)}) "
            f"AND state = '{READY}'",
            [self.seconds(lease), owner, *ids],
        )

    def owed(self, cursor: Any, rows: Iterable[tuple[Any, ...]]) -> list[Owed]:
        """Claimed rows of `CLAIMED_COLUMNS`, with their messages."""
        listed = sorted(rows, key=itemgetter(0))
        if not listed:
            return []
        ids = list({row[1] for row in listed})
        cursor.execute(
            f"SELECT id, uid, topic, version, body, headers, created_at FROM {MESSAGE} "
            f"WHERE id IN ({marks(ids)})",
            ids,
        )
        messages = {row[0]: self.message(row[1:]) for row in cursor.fetchall()}
        make: Any = Owed
        return [make(row[0], *messages[row[1]], *row[2:9], row[9] == WORKER_LOST) for row in listed]

    def message(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A message's columns as `Owed` has them."""
        uid, topic, version, body, headers, created_at = row
        return _uid.to_python(uid), topic, version, body, headers, self.time(created_at)

    # ------------------------------------------------------------------------------- finishing

    def finish(self, results: Sequence[Finished], slots: Sequence[Slot] = ()) -> int:
        """Note what became of claimed deliveries, and give the slots back."""
        with self.part(), self.cursor() as cursor:
            keyed.give_back(self, cursor, slots)
            by_fence: dict[int, list[int]] = defaultdict(list)
            others: list[Finished] = []
            for result in results:
                if result.state == DONE:
                    by_fence[result.owed.fence].append(result.owed.id)
                else:
                    others.append(result)
            found = 0
            for fence, ids in by_fence.items():
                cursor.execute(
                    f"DELETE FROM {DELIVERY} WHERE id IN ({marks(ids)}) AND fence = %s "
                    f"AND state = '{CLAIMED}'",
                    [*ids, fence],
                )
                found += cursor.rowcount
            found += sum(self._put_back(cursor, result) for result in others)
            keyed.release(self, cursor, [r.owed for r in results if r.state == DONE])
            return len(results) - found

    def _put_back(self, cursor: Any, result: Finished) -> int:
        state = BLOCKED if result.blocked else result.state
        given_back = 1 if result.returned else 0
        settled = self.now if state == DEAD else "NULL"
        error, values = "", [state, given_back, self.seconds(result.after)]
        if result.error or not result.returned:
            error = ", last_error = %s"
            values.append(result.error)
        cursor.execute(
            f"UPDATE {DELIVERY} SET state = %s, attempts = attempts - %s, available_at = {self.later}, "
            f"lease_until = NULL, claimed_by = '', settled_at = {settled}{error} "
            f"WHERE id = %s AND fence = %s AND state = '{CLAIMED}'",
            [*values, result.owed.id, result.owed.fence],
        )
        return int(cursor.rowcount)

    def renew(self, owed: Sequence[Owed], slots: Sequence[Slot], lease: float) -> int:
        """Have the leases run from now; how many of all these are still ours."""
        found = 0
        by_fence: dict[int, list[int]] = defaultdict(list)
        for each in owed:
            by_fence[each.fence].append(each.id)
        with self.part(), self.cursor() as cursor:
            for fence, ids in by_fence.items():
                cursor.execute(
                    f"UPDATE {DELIVERY} SET lease_until = {self.later} WHERE id IN ({marks(ids)}) "
                    f"AND fence = %s AND state = '{CLAIMED}'",
                    [self.seconds(lease), *ids, fence],
                )
                found += cursor.rowcount
            return found + keyed.renew(self, cursor, slots, lease)

    def reclaim(self) -> int:
        """Make what has a lapsed lease ready again, or dead; free what waits for nothing."""
        with self.part(), self.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {DELIVERY} WHERE state = '{CLAIMED}' AND lease_until < {self.now} "
                f"ORDER BY id LIMIT {BATCH}{self.skip_locked}",
                [],  # without parameters SQLite would be given `%%` as it stands in `now`
            )
            ids = [row[0] for row in cursor.fetchall()]
            if ids:
                cursor.execute(
                    f"UPDATE {DELIVERY} SET "
                    f"settled_at = CASE WHEN attempts >= max_attempts THEN {self.now} END, "
                    f"state = CASE WHEN attempts >= max_attempts THEN '{DEAD}' ELSE '{READY}' END, "
                    f"fence = fence + 1, lease_until = NULL, last_error = %s "
                    f"WHERE id IN ({marks(ids)})",
                    [WORKER_LOST, *ids],
                )
            keyed.free(self, cursor)
        return len(ids)

    # ---------------------------------------------------------------------------------- others

    def beat(self, beat: Beat) -> None:
        """Note a worker's sign of life."""
        lanes, stats = json.dumps(list(beat.lanes)), json.dumps(beat.stats)
        with self.part(), self.cursor() as cursor:
            cursor.execute(
                f"UPDATE signalpost_worker SET heartbeat_at = {self.now}, stats = %s, lanes = %s "
                "WHERE name = %s",
                [stats, lanes, beat.name],
            )
            if cursor.rowcount == 0:
                cursor.execute(
                    "INSERT INTO signalpost_worker (name, host, pid, version, lanes, started_at, "
                    f"heartbeat_at, stats) VALUES (%s, %s, %s, %s, %s, {self.now}, {self.now}, %s)",
                    [beat.name, beat.host, beat.pid, beat.version, lanes, stats],
                )

    def leave(self, name: str) -> None:
        """Forget a worker that has stopped."""
        with self.cursor() as cursor:
            cursor.execute("DELETE FROM signalpost_worker WHERE name = %s", [name])

    def paused(self) -> frozenset[str]:
        """The lanes that an operator has paused."""
        with self.cursor() as cursor:
            cursor.execute("SELECT lane FROM signalpost_pause")
            return frozenset(row[0] for row in cursor.fetchall())

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction; inside one, a savepoint."""
        return transaction.atomic(using=self.alias)

    def part(self) -> AbstractContextManager[object]:
        """A transaction; inside one, a part of it."""
        return transaction.atomic(using=self.alias, savepoint=False)

    @property
    def connection(self) -> Any:
        """This thread's connection."""
        return connections[self.alias]

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor of this thread's connection."""
        with self.connection.cursor() as cursor:
            yield cursor

    def seconds(self, value: float) -> Any:
        """The parameter of `later`."""
        return value

    def time(self, value: Any) -> datetime:
        """A time as the driver gives it, with its zone."""
        raise NotImplementedError


def marks(values: Sequence[Any]) -> str:
    """The placeholders of a list of values."""
    return ", ".join(["%s"] * len(values))
