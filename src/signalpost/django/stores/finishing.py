"""What becomes of claimed deliveries: they are finished, held for longer, or taken from the lost.

Two transactions that wait for each other's rows would be a deadlock. So each takes slots before
deliveries and the lower fence before the higher, and housekeeping passes over rows that are locked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from signalpost.delivery.store import (
    BLOCKED,
    CLAIMED,
    DEAD,
    DONE,
    READY,
    WORKER_LOST,
    Finished,
    Owed,
    Slot,
)
from signalpost.django.stores import released, slots
from signalpost.django.stores.tables import BATCH, DELIVERY, marks

if TYPE_CHECKING:
    from signalpost.django.stores.base import DatabaseStore


def finish(store: DatabaseStore, results: Sequence[Finished], held: Sequence[Slot]) -> int:
    """Note what became of claimed deliveries, and give the slots back; how many weren't ours."""
    with store.part(), store.cursor() as cursor:
        slots.give_back(store, cursor, held)
        done = [result.owed for result in results if result.state == DONE]
        found = 0
        for fence, ids in _by_fence(done):
            cursor.execute(
                f"DELETE FROM {DELIVERY} WHERE id IN ({marks(ids)}) AND fence = %s "
                f"AND {store.still(CLAIMED)}",
                [*ids, fence],
            )
            found += cursor.rowcount
        others = sorted((r for r in results if r.state != DONE), key=_by_id)
        found += sum(_put_back(store, cursor, result) for result in others)
        keys = {(each.receiver, each.key) for each in done if each.key is not None}
        released.release_keys(store, cursor, keys)
        return len(results) - found


def _put_back(store: DatabaseStore, cursor: Any, result: Finished) -> int:
    state = BLOCKED if result.blocked else result.state
    given_back = 1 if result.returned else 0
    settled = store.now if state == DEAD else "NULL"
    error, values = "", [state, given_back, store.seconds(result.after)]
    if result.error or not result.returned:
        error = ", last_error = %s"
        values.append(result.error)
    cursor.execute(
        f"UPDATE {DELIVERY} SET state = %s, attempts = attempts - %s, available_at = {store.later}, "
        f"lease_until = NULL, claimed_by = '', settled_at = {settled}{error} "
        f"WHERE id = %s AND fence = %s AND {store.still(CLAIMED)}",
        [*values, result.owed.id, result.owed.fence],
    )
    return int(cursor.rowcount)


def renew(store: DatabaseStore, owed: Sequence[Owed], held: Sequence[Slot], lease: float) -> int:
    """Have the leases run from now; how many of all these are still ours.

    What is being finished in this moment isn't counted.
    """
    with store.part(), store.cursor() as cursor:
        found = len(slots.renew(store, cursor, held, lease))
        for fence, ids in _by_fence(owed):
            still = _unlocked(store, cursor, ids, fence) if store.skip_locked else ids
            if still:
                cursor.execute(
                    f"UPDATE {DELIVERY} SET lease_until = {store.later} WHERE id IN ({marks(still)}) "
                    f"AND fence = %s AND {store.still(CLAIMED)}",
                    [store.seconds(lease), *still, fence],
                )
                found += cursor.rowcount
        return found


def _unlocked(store: DatabaseStore, cursor: Any, ids: Sequence[int], fence: int) -> list[int]:
    cursor.execute(
        f"SELECT id FROM {DELIVERY} WHERE id IN ({marks(ids)}) AND fence = %s "
        f"AND {store.still(CLAIMED)} ORDER BY id{store.skip_locked}",
        [*ids, fence],
    )
    return [row[0] for row in cursor.fetchall()]


def reclaim(store: DatabaseStore) -> int:
    """Make what has a lapsed lease ready again, or dead; free what waits for nothing."""
    with store.part(), store.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {DELIVERY} WHERE state = '{CLAIMED}' AND lease_until < {store.now} "
            f"ORDER BY lease_until LIMIT {BATCH}{store.skip_locked}",
            [],  # without parameters SQLite would be given `%%` as it stands in `now`
        )
        ids = sorted(row[0] for row in cursor.fetchall())
        if ids:
            # The state last: MariaDB and MySQL assign from left to right.
            cursor.execute(
                f"UPDATE {DELIVERY} SET "
                f"settled_at = CASE WHEN attempts >= max_attempts THEN {store.now} END, "
                f"state = CASE WHEN attempts >= max_attempts THEN '{DEAD}' ELSE '{READY}' END, "
                f"fence = fence + 1, lease_until = NULL, last_error = %s "
                f"WHERE id IN ({marks(ids)})",
                [WORKER_LOST, *ids],
            )
    with store.part(), store.cursor() as cursor:
        released.free(store, cursor)
    return len(ids)


def _by_fence(owed: Iterable[Owed]) -> list[tuple[int, list[int]]]:
    found: dict[int, list[int]] = defaultdict(list)
    for each in owed:
        found[each.fence].append(each.id)
    return sorted(found.items())


def _by_id(result: Finished) -> int:
    return result.owed.id
