"""What an operator does to deliveries: retry, cancel, replay, and pause a queue.

Each may be done twice, by two people, and while workers run: a row is changed where its state is
still the one that the change is for, and its fence moves on, so that whoever ran it before can't
settle it any more. Rows that a worker is claiming at this moment are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models.expressions import RawSQL

from signalpost.delivery.store import BLOCKED, CANCELLED, DEAD, READY
from signalpost.django.models import Pause
from signalpost.django.operating.replaying import replay
from signalpost.django.stores import released, store_for
from signalpost.django.stores.base import BATCH, DELIVERY, MESSAGE, DatabaseStore, marks

__all__ = ["Selection", "cancel", "pause", "replay", "resume", "retry", "selected"]

#: Told how many rows were changed so far.
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Selection:
    """Which deliveries: those that are all of what is given. Nothing given means all."""

    ids: tuple[int, ...] = ()
    receiver: str | None = None
    signal: str | None = None
    queue: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is given."""
        return bool(self.ids) or (self.receiver, self.signal, self.queue) != (None, None, None)


def retry(alias: str, selection: Selection, *, progress: Progress = lambda _: None) -> int:
    """Have dead deliveries run again, with all their attempts; how many there were."""
    store = store_for(alias)
    assignments = (
        f"state = '{READY}', attempts = 0, fence = fence + 1, available_at = {store.now}, "
        "lease_until = NULL, claimed_by = '', settled_at = NULL"
    )
    found = 0
    for count, _ in _change(store, selection, (DEAD,), assignments):
        progress(found := found + count)
    return found


def cancel(alias: str, selection: Selection, *, progress: Progress = lambda _: None) -> int:
    """Have deliveries that aren't running never run; how many there were.

    Those that waited for one of them, of the same key, may run.
    """
    store = store_for(alias)
    assignments = f"state = '{CANCELLED}', fence = fence + 1, settled_at = {store.now}"
    found = 0
    for count, keys in _change(store, selection, (READY, BLOCKED, DEAD), assignments):
        # By itself: a worker that finds one of them in the way waits for nobody. Where this is never
        # reached, the workers' housekeeping does the same.
        with store.part(), store.cursor() as cursor:
            released.release_keys(store, cursor, keys)
        progress(found := found + count)
    return found


def selected(alias: str, selection: Selection, *, dead_only: bool) -> int:
    """How many deliveries `retry` (of the dead) or `cancel` would change."""
    states = (DEAD,) if dead_only else (READY, BLOCKED, DEAD)
    where, values = _where(selection, states)
    with store_for(alias).cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {DELIVERY} WHERE {where}", values)
        return int(cursor.fetchone()[0])


def pause(alias: str, queue: str) -> bool:
    """Have workers claim nothing more of a queue; what is running ends. Whether it wasn't paused."""
    since = RawSQL(store_for(alias).now, ())  # noqa: S611 - the database's clock, a constant
    rows = Pause._base_manager.using(alias)
    return rows.get_or_create(lane=queue, defaults={"since": since})[1]


def resume(alias: str, queue: str) -> bool:
    """Have workers claim from a queue again. Whether it was paused."""
    return bool(Pause._base_manager.using(alias).filter(lane=queue).delete()[0])


def _change(
    store: DatabaseStore, selection: Selection, states: tuple[str, ...], assignments: str
) -> Iterator[tuple[int, set[tuple[str, str]]]]:
    """Change the rows in batches; after each, their number and the keys that were among them."""
    where, values = _where(selection, states)
    beyond = 0
    while True:
        with store.part(), store.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {DELIVERY} WHERE {where} AND id > %s ORDER BY id LIMIT {BATCH}",
                [*values, beyond],
            )
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                return
            # Locked by their ids: MariaDB keeps what it locks in another index, even of rows that it
            # then passes over, and a worker that has those waits for it: a deadlock.
            these = f"id IN ({marks(ids)}) AND {store.state_alone} IN ({marks(states)})"
            cursor.execute(
                f"SELECT id, receiver, ordering_key FROM {DELIVERY} WHERE {these} "
                f"ORDER BY id{store.skip_locked}",
                [*ids, *states],
            )
            rows, beyond = cursor.fetchall(), ids[-1]
            ids = [row[0] for row in rows]
            if ids:
                cursor.execute(
                    f"UPDATE {DELIVERY} SET {assignments} WHERE id IN ({marks(ids)})", ids
                )
            count = len(ids)
        yield count, {(receiver, key) for _, receiver, key in rows if key is not None}


def _where(selection: Selection, states: tuple[str, ...]) -> tuple[str, list[Any]]:
    conditions, values = [f"state IN ({marks(states)})"], list[Any](states)
    if selection.ids:
        conditions.append(f"id IN ({marks(selection.ids)})")
        values += selection.ids
    for column, value in (("receiver", selection.receiver), ("lane", selection.queue)):
        if value is not None:
            conditions.append(f"{column} = %s")
            values.append(value)
    if selection.signal is not None:
        conditions.append(f"message_id IN (SELECT id FROM {MESSAGE} WHERE topic = %s)")
        values.append(selection.signal)
    return " AND ".join(conditions), values
