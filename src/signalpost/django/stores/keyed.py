"""Deliveries with a key: of one key they run one by one, in the order of their ids.

A slot holds a share of the keys, and one worker at a time holds the slot, by a compare-and-set on its
fence. Of each key it takes what stands before the first obstacle: an earlier delivery that failed, is
claimed, isn't due, or was given another slot by a process that counts slots otherwise. What stands
behind an obstacle is set aside as blocked, so that it isn't met again, and released once one of the
key is settled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from signalpost.delivery.store import (
    BLOCKED,
    CLAIMED,
    DEAD,
    READY,
    UNKEYED,
    Claim,
    Fenced,
    Owed,
    Slot,
)

if TYPE_CHECKING:
    from signalpost.django.stores.base import DatabaseStore

_DELIVERY, _SLOT = "signalpost_delivery", "signalpost_slot"
#: How many slots one claim takes at most.
SLOTS_AT_ONCE = 8
#: How often new slots are looked for, in seconds.
NOTE_EVERY = 0.05
#: How many of one key are released at once; the rest follow as those are settled.
RELEASED = 500


def claim(
    store: DatabaseStore,
    lane: str,
    *,
    limit: int,
    owner: str,
    lease: float,
    blocks: Callable[[str], bool],
) -> Claim:
    """Take slots with something due, and of each key in them what may run, in order."""
    slots = _take_slots(store, lane, owner, lease)
    if not slots:
        return Claim()
    with store.part(), store.cursor() as cursor:
        if not _hold(store, cursor, slots, lease):
            return Claim()
        rows = _ready(store, cursor, lane, slots, max(1, limit // len(slots)))
        obstacles = _obstacles(store, cursor, rows, slots)
        runnable: list[int] = []
        waiting: list[int] = []
        for id_, slot, receiver, key in rows:
            first, strict = obstacles.get((receiver, key, slot), (None, None))
            # One that skips waits only for what runs now, or stands in another slot.
            obstacle = first if blocks(receiver) else strict
            if obstacle is None or id_ < obstacle:
                runnable.append(id_)
            elif blocks(receiver):
                waiting.append(id_)
        if waiting:
            cursor.execute(
                f"UPDATE {_DELIVERY} SET state = '{BLOCKED}' WHERE id IN ({_marks(waiting)}) "
                f"AND state = '{READY}'",
                waiting,
            )
        if not runnable:
            give_back(store, cursor, slots)
            return Claim()
        store.take(cursor, runnable, owner, lease)
        from signalpost.django.stores.base import CLAIMED_COLUMNS

        cursor.execute(
            # But for one that an operator has cancelled since it was looked for.
            f"SELECT {CLAIMED_COLUMNS} FROM {_DELIVERY} WHERE id IN ({_marks(runnable)}) "
            f"AND state = '{CLAIMED}'",
            runnable,
        )
        return Claim(store.owed(cursor, cursor.fetchall()), slots)


def give_back(store: DatabaseStore, cursor: Any, slots: Sequence[Slot]) -> None:
    """Let others have the slots. Raises Fenced where one isn't ours any more."""
    for slot in slots:
        # Not to NULL: the slots are taken in turn, by when they were last given back.
        cursor.execute(
            f"UPDATE {_SLOT} SET lease_until = {store.now}, owner = '' "
            "WHERE lane = %s AND slot = %s AND fence = %s",
            slot,
        )
        if cursor.rowcount != 1:
            raise Fenced(f"Slot {slot.slot} of {slot.lane} was taken over")


def renew(store: DatabaseStore, cursor: Any, slots: Sequence[Slot], lease: float) -> int:
    """Hold the slots for longer; how many of them are still ours."""
    found = 0
    for slot in slots:
        cursor.execute(
            f"UPDATE {_SLOT} SET lease_until = {store.later} "
            "WHERE lane = %s AND slot = %s AND fence = %s",
            [store.seconds(lease), *slot],
        )
        found += cursor.rowcount
    return found


def release(store: DatabaseStore, cursor: Any, settled: Iterable[Owed]) -> None:
    """Make what waited for these ready."""
    keys = {(each.receiver, each.key) for each in settled if each.key is not None}
    release_keys(store, cursor, keys)


def release_keys(store: DatabaseStore, cursor: Any, keys: Iterable[tuple[str, str | None]]) -> None:
    """Make what is blocked of these keys ready, the earliest first."""
    for receiver, key in sorted(keys, key=str):
        cursor.execute(
            f"SELECT id FROM {_DELIVERY} WHERE state = '{BLOCKED}' AND receiver = %s "
            f"AND ordering_key = %s ORDER BY id LIMIT {RELEASED}",
            [receiver, key],
        )
        ids = [row[0] for row in cursor.fetchall()]
        if ids:
            cursor.execute(
                f"UPDATE {_DELIVERY} SET state = '{READY}' WHERE id IN ({_marks(ids)}) "
                f"AND state = '{BLOCKED}'",
                ids,
            )


def free(store: DatabaseStore, cursor: Any) -> None:
    """Release the keys of which nothing is in the way any more.

    Whoever settles a delivery releases those after it. This is for what was cancelled or deleted
    meanwhile, and for those that were set aside in the same moment.
    """
    cursor.execute(
        f"SELECT receiver, ordering_key FROM {_DELIVERY} WHERE state = '{BLOCKED}' "
        "GROUP BY receiver, ordering_key ORDER BY min(id) LIMIT 1000"
    )
    for receiver, key in cursor.fetchall():
        cursor.execute(
            f"SELECT 1 FROM {_DELIVERY} o WHERE o.receiver = %s AND o.ordering_key = %s "
            f"AND o.state IN ('{READY}', '{CLAIMED}', '{DEAD}') AND o.id < "
            f"(SELECT min(b.id) FROM {_DELIVERY} b WHERE b.state = '{BLOCKED}' AND b.receiver = %s "
            "AND b.ordering_key = %s) LIMIT 1",
            [receiver, key, receiver, key],
        )
        if cursor.fetchone() is None:
            release_keys(store, cursor, [(receiver, key)])


def _take_slots(store: DatabaseStore, lane: str, owner: str, lease: float) -> list[Slot]:
    """Slots that nobody holds and that have something due, now ours."""
    taken: list[Slot] = []
    with store.part(), store.cursor() as cursor:
        _note_slots(store, cursor, lane)
        cursor.execute(
            f"SELECT s.slot, s.fence FROM {_SLOT} s WHERE s.lane = %s "
            f"AND (s.lease_until IS NULL OR s.lease_until <= {store.now}) "
            f"AND EXISTS (SELECT 1 FROM {_DELIVERY} d WHERE d.state = '{READY}' AND d.lane = %s "
            f"AND d.slot = s.slot AND d.available_at <= {store.now}) "
            f"ORDER BY s.lease_until IS NOT NULL, s.lease_until LIMIT {SLOTS_AT_ONCE}{store.skip_locked}",
            [lane, lane],
        )
        for slot, fence in sorted(cursor.fetchall()):
            cursor.execute(
                f"UPDATE {_SLOT} SET owner = %s, fence = fence + 1, lease_until = {store.later} "
                "WHERE lane = %s AND slot = %s AND fence = %s",
                [owner, store.seconds(lease), lane, slot, fence],
            )
            if cursor.rowcount:
                taken.append(Slot(lane, slot, fence + 1))
    return taken


def _note_slots(store: DatabaseStore, cursor: Any, lane: str) -> None:
    """Have a row for each slot that the lane's deliveries have: one step in the index for each."""
    now = time.monotonic()
    if now - store.noted.get(lane, -1.0) < NOTE_EVERY:
        return
    store.noted[lane] = now
    where = f"SELECT min(slot) FROM {_DELIVERY} WHERE state = '{READY}' AND lane = %s AND slot >"
    cursor.execute(
        f"WITH RECURSIVE t (slot) AS ({where} {UNKEYED} UNION ALL SELECT ({where} t.slot) FROM t "
        "WHERE t.slot IS NOT NULL) SELECT slot FROM t WHERE slot IS NOT NULL "
        f"AND slot NOT IN (SELECT slot FROM {_SLOT} WHERE lane = %s)",
        [lane, lane, lane],
    )
    for (slot,) in cursor.fetchall():
        cursor.execute(store.insert_slot, [lane, slot])


def _hold(store: DatabaseStore, cursor: Any, slots: Sequence[Slot], lease: float) -> bool:
    return renew(store, cursor, slots, lease) == len(slots)


def _ready(
    store: DatabaseStore, cursor: Any, lane: str, slots: Sequence[Slot], limit: int
) -> list[tuple[int, int, str, str]]:
    """The first of each slot that are due, by id: (id, slot, receiver, key)."""
    one = (
        f"SELECT * FROM (SELECT id, slot, receiver, ordering_key FROM {_DELIVERY} "
        f"WHERE state = '{READY}' AND lane = %s AND slot = %s AND ordering_key IS NOT NULL "
        f"AND available_at <= {store.now} ORDER BY id LIMIT {limit}) AS s"
    )
    values = [value for slot in slots for value in (lane, slot.slot)]
    cursor.execute(" UNION ALL ".join([one] * len(slots)), values)
    return sorted(cursor.fetchall())


def _obstacles(
    store: DatabaseStore, cursor: Any, rows: Sequence[Any], slots: Sequence[Slot]
) -> dict[tuple[str, str, int], tuple[int, int | None]]:
    """By receiver, key and slot: the first that is in the way, and the first that always is."""
    if not rows:
        return {}
    own = {slot.slot for slot in slots}
    last = {(receiver, key): id_ for id_, _, receiver, key in rows}  # they are in order
    found: dict[tuple[str, str, int], tuple[int, int | None]] = {}
    either = " OR ".join(["(receiver = %s AND ordering_key = %s AND id <= %s)"] * len(last))
    # Whatever isn't among the rows is in the way, even if it is ready by now: it may have become due,
    # or was reclaimed, since they were looked for.
    cursor.execute(
        f"SELECT id, receiver, ordering_key, slot, state FROM {_DELIVERY} "
        f"WHERE ({either}) AND ordering_key IS NOT NULL "
        f"AND state IN ('{READY}', '{CLAIMED}', '{DEAD}', '{BLOCKED}') "
        f"AND id NOT IN ({_marks(rows)}) ORDER BY id",
        [
            *(value for pair, id_ in sorted(last.items()) for value in (*pair, id_)),
            *(row[0] for row in rows),
        ],
    )
    for id_, receiver, key, slot, state in cursor.fetchall():
        always = state == CLAIMED or slot not in own
        for mine in own:
            first, strict = found.get((receiver, key, mine), (id_, None))
            found[receiver, key, mine] = (first, id_ if strict is None and always else strict)
    return found


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
