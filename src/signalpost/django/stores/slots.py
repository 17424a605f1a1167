"""Slots: the shares of a lane's keys. One worker at a time holds one, by its fence."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from signalpost.delivery.store import READY, UNKEYED, Fenced, Slot, slot_range, slots_counted
from signalpost.django.stores.tables import DELIVERY, SLOT, marks

if TYPE_CHECKING:
    from signalpost.django.stores.base import DatabaseStore

#: How many slots one claim takes at most.
AT_ONCE = 8
#: How often it is looked whether deliveries count their slots in a new way, in seconds.
NOTE_EVERY = 1.0
#: Where nobody holds a slot. Not by the lease alone: it tells when the slot was given back, which is
#: yet to come where the clock has jumped back since.
_UNHELD = "(owner = '' OR lease_until IS NULL OR lease_until <= {now})"
#: The slots that somebody could have, and that have something due.
#
# The earliest of a slot is one step in the index. EXISTS would have MariaDB gather all that is due
# in the lane first (measured: 398 ms instead of 2 ms with 340,000 rows).
_FREE = (
    f"FROM {SLOT} s WHERE s.lane = %s AND {_UNHELD} "
    f"AND (SELECT d.available_at FROM {DELIVERY} d WHERE d.state = '{READY}' AND d.lane = s.lane "
    "AND d.slot = s.slot ORDER BY d.available_at LIMIT 1) <= {now}"
)


def due(store: DatabaseStore, lanes: Sequence[str]) -> set[str]:
    """Those of the lanes, which have deliveries with keys, that have a slot which could be taken."""
    with store.cursor() as cursor:
        return {lane for lane in lanes if _free(store, cursor, lane, "LIMIT 1")}


def take(store: DatabaseStore, lane: str, limit: int, owner: str, lease: float) -> list[Slot]:
    """Slots that nobody holds and that have something due, now ours."""
    with store.part(), store.cursor() as cursor:
        # Not locked yet: MariaDB would lock all that it sorts.
        in_turn = "ORDER BY s.lease_until IS NOT NULL, s.lease_until"
        free = _free(store, cursor, lane, f"{in_turn} LIMIT {4 * limit}")
        for start in range(0, len(free), limit):
            # Those that another takes at this moment are passed over.
            taken = _take(store, cursor, lane, free[start : start + limit], owner, lease)
            if taken:
                return taken
    return []


def _free(store: DatabaseStore, cursor: Any, lane: str, which: str) -> list[int]:
    """Slots that nobody holds and that have something due."""
    # Seldom while there is something to do: those that nobody has noted yet have their turn too.
    seldom = time.monotonic() - store.noted.get(lane, -NOTE_EVERY) < NOTE_EVERY
    if not seldom:
        note(store, cursor, lane)
    while True:
        cursor.execute(f"SELECT s.slot {_FREE.format(now=store.now)} {which}", [lane])
        found = [row[0] for row in cursor.fetchall()]
        if found or not seldom or not note(store, cursor, lane):
            return found
        seldom = False


def _take(
    store: DatabaseStore, cursor: Any, lane: str, numbers: Sequence[int], owner: str, lease: float
) -> list[Slot]:
    cursor.execute(
        f"SELECT slot, fence FROM {SLOT} WHERE lane = %s AND slot IN ({marks(numbers)}) "
        f"AND {_UNHELD.format(now=store.now)}{store.skip_locked}",
        [lane, *numbers],
    )
    found = sorted(cursor.fetchall())
    if not found:
        return []
    # One statement: nobody else can have changed them since.
    numbers = [slot for slot, _ in found]
    cursor.execute(
        f"UPDATE {SLOT} SET owner = %s, fence = fence + 1, lease_until = {store.later} "
        f"WHERE lane = %s AND slot IN ({marks(numbers)})",
        [owner, store.seconds(lease), lane, *numbers],
    )
    return [Slot(lane, slot, fence + 1) for slot, fence in found]


def note(store: DatabaseStore, cursor: Any, lane: str) -> bool:
    """Have rows for the slots that the lane's deliveries may be in; whether some were missing.

    A slot tells how many there are, so one delivery tells of all slots of its process. Not by a
    recursive search for each slot that is used, for which MariaDB reads the whole lane each time.
    """
    beyond, count, made = UNKEYED, 0, False
    while True:
        rows = f"FROM {DELIVERY} WHERE state = '{READY}' AND lane = %s AND slot > %s"
        cursor.execute(f"SELECT {store.first('slot', rows)}", [lane, beyond])
        (found,) = cursor.fetchone()
        if found is None:
            break
        count = slots_counted(found)
        first, beyond = slot_range(count)
        cursor.execute(
            f"SELECT slot FROM {SLOT} WHERE lane = %s AND slot BETWEEN %s AND %s",
            [lane, first, beyond],
        )
        known = {row[0] for row in cursor.fetchall()}
        missing = [slot for slot in range(first, first + count) if slot not in known]
        if missing:
            _make(store, lane, missing)
            made = True
    if count:
        store.noted[lane] = time.monotonic()
    return made


def _make(store: DatabaseStore, lane: str, missing: Sequence[int]) -> None:
    with store.part(), store.cursor() as cursor:
        values = ", ".join(["(%s, %s, 0, '')"] * len(missing))
        cursor.execute(
            store.insert_slots.format(values=values),
            [value for slot in missing for value in (lane, slot)],
        )


def renew(store: DatabaseStore, cursor: Any, held: Sequence[Slot], lease: float) -> list[Slot]:
    """Hold the slots for longer; those of them that are still ours."""
    if not held:
        return []
    if _change(cursor, held, f"lease_until = {store.later}", [store.seconds(lease)]) == len(held):
        return sorted(held)
    # Some were lost. It is locked what is still ours, so it stays that.
    cursor.execute(f"SELECT lane, slot, fence FROM {SLOT} WHERE {_these(held)}", _flat(held))
    return sorted(Slot(*row) for row in cursor.fetchall())


def give_back(store: DatabaseStore, cursor: Any, held: Sequence[Slot]) -> None:
    """Let others have the slots. Raises Fenced where one isn't ours any more."""
    if not held:
        return
    # Not to NULL: the slots are taken in turn, by when they were last given back. With a new fence,
    # so that a renewal which comes late doesn't hold them.
    change = f"lease_until = {store.now}, owner = '', fence = fence + 1"
    lost = len(held) - _change(cursor, held, change, [])
    if lost:
        raise Fenced(f"{lost} of {len(held)} slots of {held[0].lane} were taken over")


def _change(cursor: Any, held: Sequence[Slot], assignments: str, values: list[Any]) -> int:
    cursor.execute(f"UPDATE {SLOT} SET {assignments} WHERE {_these(held)}", [*values, *_flat(held)])
    return int(cursor.rowcount)


def _these(held: Sequence[Slot]) -> str:
    return " OR ".join(["(lane = %s AND slot = %s AND fence = %s)"] * len(held))


def _flat(held: Sequence[Slot]) -> list[Any]:
    return [value for slot in held for value in slot]
