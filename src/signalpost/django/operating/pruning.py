"""Deletes what is settled, and messages that nobody is owed any more, once they are old enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from signalpost.delivery.store import CANCELLED, DONE
from signalpost.django.stores import store_for
from signalpost.django.stores.base import BATCH, DELIVERY, MESSAGE, DatabaseStore, marks

DAY = 86_400.0
#: What may go. A dead delivery stays until somebody acts.
_SETTLED = f"state IN ('{DONE}', '{CANCELLED}')"


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted, or would be."""

    deliveries: int
    messages: int


def prunable(alias: str, *, days: float) -> Pruned:
    """What `prune` would delete now."""
    store = store_for(alias)
    old = [store.seconds(-days * DAY)]
    with store.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {DELIVERY} WHERE {_old_deliveries(store)}", old)
        settled = int(cursor.fetchone()[0])
        cursor.execute(
            f"SELECT count(*) FROM {MESSAGE} m WHERE m.created_at < {store.later} AND NOT EXISTS "
            f"(SELECT 1 FROM {DELIVERY} WHERE message_id = m.id AND NOT ({_old_deliveries(store)}))",
            old * 2,
        )
        return Pruned(settled, int(cursor.fetchone()[0]))


def prune(
    alias: str, *, days: float, progress: Callable[[Pruned], object] = lambda _: None
) -> Pruned:
    """Delete what was settled more than so many days ago, and as old messages without deliveries.

    In batches, each a transaction of its own. What isn't settled stays, dead deliveries too,
    whatever its age, and so does its message; workers may claim and senders record meanwhile.
    """
    store = store_for(alias)
    deliveries = messages = 0
    for count in _delete_deliveries(store, days):
        deliveries += count
        progress(Pruned(deliveries, messages))
    for count in _delete_messages(store, days):
        messages += count
        progress(Pruned(deliveries, messages))
    with store.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM signalpost_worker WHERE heartbeat_at < {store.later}",
            [store.seconds(-max(1.0, days) * DAY)],
        )
    return Pruned(deliveries, messages)


def _old_deliveries(store: DatabaseStore) -> str:
    return f"{_SETTLED} AND settled_at < {store.later}"


def _delete_deliveries(store: DatabaseStore, days: float) -> Iterator[int]:
    beyond = 0
    while True:
        with store.part(), store.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {DELIVERY} WHERE {_old_deliveries(store)} AND id > %s "
                f"ORDER BY id LIMIT {BATCH}{store.skip_locked}",
                [store.seconds(-days * DAY), beyond],
            )
            ids = _ids(cursor)
            if not ids:
                return
            cursor.execute(
                f"DELETE FROM {DELIVERY} WHERE id IN ({marks(ids)}) AND {_SETTLED}",
                ids,
            )
            count, beyond = int(cursor.rowcount), ids[-1]
        yield count


def _delete_messages(store: DatabaseStore, days: float) -> Iterator[int]:
    beyond = 0
    while True:
        with store.cursor() as cursor:
            cursor.execute(
                f"SELECT m.id FROM {MESSAGE} m WHERE m.created_at < {store.later} AND m.id > %s "
                f"AND NOT EXISTS (SELECT 1 FROM {DELIVERY} d WHERE d.message_id = m.id) "
                f"ORDER BY m.id LIMIT {BATCH}",
                [store.seconds(-days * DAY), beyond],
            )
            ids = _ids(cursor)
        if not ids:
            return
        beyond = ids[-1]
        yield _delete_unowed(store, ids)


def _delete_unowed(store: DatabaseStore, ids: Sequence[int]) -> int:
    """Delete those of the messages that still nobody is owed: one may be replayed just now."""
    with store.part(), store.cursor() as cursor:
        # Nobody can add a delivery to a message that is locked, so what is seen then holds.
        cursor.execute(
            f"SELECT id FROM {MESSAGE} WHERE id IN ({marks(ids)}) ORDER BY id{store.skip_locked}",
            ids,
        )
        locked = _ids(cursor)
        if not locked:
            return 0
        cursor.execute(
            f"SELECT DISTINCT message_id FROM {DELIVERY} WHERE message_id IN ({marks(locked)})",
            locked,
        )
        owed = set(_ids(cursor))
        unowed = [id_ for id_ in locked if id_ not in owed]
        if not unowed:
            return 0
        cursor.execute(f"DELETE FROM {MESSAGE} WHERE id IN ({marks(unowed)})", unowed)
        return int(cursor.rowcount)


def _ids(cursor: Any) -> list[int]:
    return [row[0] for row in cursor.fetchall()]
