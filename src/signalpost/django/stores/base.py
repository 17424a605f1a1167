"""The store of one database, in the SQL that all of them speak; the dialects add the rest.

Written by hand: the ORM has no UPDATE ... RETURNING and no SKIP LOCKED for one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cache, cached_property
from operator import itemgetter
from typing import Any, ClassVar

from django.db import connections, transaction
from django.db.models.fields import UUIDField

from signalpost.delivery.store import (
    CLAIMED,
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
from signalpost.django.stores import finishing, keyed, slots
from signalpost.django.stores.tables import BATCH, DELIVERY, INSERT_DELIVERIES, MESSAGE, marks

__all__ = ["BATCH", "DELIVERY", "MESSAGE", "DatabaseStore", "marks"]

_uid: UUIDField[Any, Any] = UUIDField()


class _Part:
    """What `atomic(savepoint=False)` does inside a transaction, in a third of its time (4 µs)."""

    __slots__ = ("alias",)

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *args: object) -> None:
        if kind is not None:
            # Not half of it: the transaction is lost, or the savepoint around it.
            transaction.set_rollback(True, using=self.alias)


class DatabaseStore:
    """A store in the tables of `signalpost.django.models`: `signalpost.delivery.store.Store`."""

    #: The database's clock, and the clock some seconds later, which `seconds` gives the parameter of.
    now: ClassVar[str]
    later: ClassVar[str]
    #: Whether the database can tell workers that there is work.
    tells: ClassVar[bool] = False
    #: Behind a SELECT whose rows nobody else is to have.
    skip_locked: ClassVar[str] = ""
    #: Behind a SELECT from no table.
    from_nothing: ClassVar[str] = ""
    #: Makes the rows of slots, of `{values}`, where there are none.
    insert_slots: ClassVar[str]
    #: Where a key is the parameter; where the delivery `d` has that of `r`; what tells keys apart.
    is_key: ClassVar[str] = "ordering_key = %s"
    same_key: ClassVar[str] = "d.ordering_key = r.ordering_key"
    key_exactly: ClassVar[str] = "ordering_key"
    #: The state of rows that are named by their ids, so that no index of states is used for it: where
    #: a planner expects few in a state it would rather read them all.
    state_alone: ClassVar[str] = "state || ''"

    def __init__(self, alias: str, *, slots: int = SLOTS) -> None:
        self.alias = alias
        self.slots = slots
        #: By lane, when it was last noted which slots there are, by the monotonic clock.
        self.noted: dict[str, float] = {}

    # ------------------------------------------------------------------------------- recording

    def record(self, message: NewMessage, deliveries: Sequence[NewDelivery]) -> None:
        """Write a message and its deliveries, in the caller's transaction where there is one."""
        connection = self.connection
        with self.part(connection), connection.cursor() as cursor:
            values = self.message_parameters(connection, message, deliveries)
            cursor.execute(self.insert_message, values)
            self.insert_deliveries(cursor, cursor.lastrowid, deliveries)

    @cached_property
    def insert_message(self) -> str:
        """The statement that writes a message."""
        return (
            f"INSERT INTO {MESSAGE} (uid, topic, version, ordering_key, body, headers, created_at) "
            f"VALUES (%s, %s, %s, %s, %s, %s, {self.now})"
        )

    def message_parameters(
        self, connection: Any, message: NewMessage, deliveries: Sequence[NewDelivery]
    ) -> list[Any]:
        """What `insert_message` takes."""
        key = next((each.key for each in deliveries if each.key is not None), None)
        uid = _uid.get_db_prep_value(message.uid, connection)
        return [uid, message.topic, message.version, key, message.body, message.headers]

    def insert_deliveries(
        self, cursor: Any, message_id: int, deliveries: Sequence[NewDelivery]
    ) -> None:
        """Write the rows of a message's deliveries."""
        values: list[Any] = []
        for each in deliveries:
            values += [message_id, *self.delivery_parameters(each)]
        cursor.execute(self.inserting(len(deliveries)), values)

    @cached_property
    def inserting(self) -> Callable[[int], str]:
        """Gives the statement that writes so many deliveries. It is kept: to make one takes 2 µs."""
        row = f"(%s, %s, %s, %s, %s, '{READY}', 0, %s, {self.later}, 0, '', '')"

        @cache
        def statement(count: int) -> str:
            return f"{INSERT_DELIVERIES} VALUES {', '.join([row] * count)}"

        return statement

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
                first = self.first("lane", f"FROM {DELIVERY} WHERE state = '{READY}'{beyond}")
                cursor.execute(f"SELECT {first}", found[-1:])
                (lane,) = cursor.fetchone()
                if lane is None:
                    return found
                found.append(lane)

    def due(self, lanes: Sequence[str]) -> list[tuple[str, bool]]:
        """The lanes with something due that can be had, each with whether that has keys."""
        if not lanes:
            return []
        parts: list[str] = []
        values: list[Any] = []
        for lane in lanes:
            rows = f"FROM {DELIVERY} WHERE state = '{READY}' AND lane = %s AND"
            earliest = self.first("available_at", f"{rows} slot = {UNKEYED}")
            # Of those with keys this only says that there are any.
            any_slot = self.first("slot", f"{rows} slot > {UNKEYED}")
            for with_keys, condition in (
                (0, "" if self.has_more(lane) else f" WHERE {earliest} <= {self.now}"),
                (1, f" WHERE {any_slot} > {UNKEYED}"),
            ):
                parts.append(
                    f"SELECT %s AS lane, {with_keys} AS keyed{self.from_nothing}{condition}"
                )
                values += [lane, lane] if condition else [lane]
        with self.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            found = [(lane, bool(with_keys)) for lane, with_keys in cursor.fetchall()]
        takeable = slots.due(self, [lane for lane, with_keys in found if with_keys])
        return [(lane, keyed) for lane, keyed in found if not keyed or lane in takeable]

    def has_more(self, lane: str) -> bool:
        """Whether it is known without a look that deliveries without a key are due."""
        return False

    @staticmethod
    def first(column: str, rows: str) -> str:
        """The least value of the rows, or NULL: one step in an index that has them in its order.

        EXISTS would be a scan wherever a planner expects to be lucky in it.
        """
        return f"(SELECT min({column}) {rows})"

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
            f"AND {self.still(READY)}",
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
        return finishing.finish(self, results, slots)

    def renew(self, owed: Sequence[Owed], slots: Sequence[Slot], lease: float) -> int:
        """Have the leases run from now; how many of all these are still ours."""
        return finishing.renew(self, owed, slots, lease)

    def reclaim(self) -> int:
        """Make what has a lapsed lease ready again, or dead; free what waits for nothing."""
        return finishing.reclaim(self)

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

    def part(self, connection: Any = None) -> AbstractContextManager[object]:
        """A transaction; inside one, a part of it. A connection that is at hand needn't be looked up."""
        inside = (connection or self.connection).in_atomic_block
        return _Part(self.alias) if inside else self.transaction()

    @property
    def connection(self) -> Any:
        """This thread's connection."""
        return connections[self.alias]

    def cursor(self) -> AbstractContextManager[Any]:
        """A cursor of this thread's connection."""
        cursor: AbstractContextManager[Any] = self.connection.cursor()
        return cursor

    def still(self, state: str) -> str:
        """The condition that rows, which are named by their ids, are in this state."""
        return f"{self.state_alone} = '{state}'"

    def seconds(self, value: float) -> Any:
        """The parameter of `later`."""
        return value

    def time(self, value: Any) -> datetime:
        """A time as the driver gives it, with its zone."""
        raise NotImplementedError
