"""Deliveries with a key: of one key they run one by one, in the order of their ids.

A slot holds a share of the keys, and one worker at a time holds the slot: see `slots`. Of each key it
takes what stands before the first obstacle: an earlier delivery that failed, is claimed, isn't due,
or is in another lane or slot, since the receiver's queue or the number of slots was changed. What
stands behind an obstacle is set aside as blocked, so that it isn't met again, and released once one
of the key is settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from signalpost.delivery.store import BLOCKED, CLAIMED, DEAD, READY, Claim, Owed, Slot
from signalpost.django.stores import slots
from signalpost.django.stores.tables import CLAIMED_COLUMNS, DELIVERY, marks

if TYPE_CHECKING:
    from signalpost.django.stores.base import DatabaseStore

#: How many of one key are set aside at once, where they fill a slot.
SET_ASIDE = 1000

Key = tuple[str, str]


class Row(NamedTuple):
    """A delivery that is due, in a slot that is held."""

    id: int
    slot: int
    receiver: str
    key: str


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
    tried: set[int] = set()
    while held := slots.take(store, lane, min(limit, slots.AT_ONCE), owner, lease):
        try:
            owed: list[Owed] | None = None
            while owed is None:
                held, owed = _claim_in(store, held, limit, owner, lease, blocks)
        except BaseException:
            _leave(store, held)
            raise
        if owed:
            return Claim(owed, held)
        numbers = {slot.slot for slot in held}
        if not numbers - tried:
            break
        tried |= numbers
    # What is in the way may be in slots that nobody has noted yet: looked for the next time.
    store.noted.pop(lane, None)
    return Claim()


def _claim_in(
    store: DatabaseStore,
    held: list[Slot],
    limit: int,
    owner: str,
    lease: float,
    blocks: Callable[[str], bool],
) -> tuple[list[Slot], list[Owed] | None]:
    """The slots that are still ours, and what was claimed in them.

    None where nothing was claimed but much was set aside, so that more may be found behind that; an
    empty list where there is nothing, and the slots were given back.
    """
    with store.part(), store.cursor() as cursor:
        held = slots.renew(store, cursor, held, lease)
        if not held:
            return [], []
        share = max(1, limit // len(held))
        rows = _due(store, cursor, held, share)
        first = _obstacles(store, cursor, rows, held, blocks)
        runnable, waiting = _sorted_out(rows, first, blocks)
        moved = _set_aside(store, cursor, waiting, held, full=len(rows) >= share)
        owed: list[Owed] = []
        if runnable:
            store.take(cursor, runnable, owner, lease)
            # Without those that an operator has cancelled at this moment.
            cursor.execute(
                f"SELECT {CLAIMED_COLUMNS} FROM {DELIVERY} WHERE id IN ({marks(runnable)}) "
                f"AND {store.still(CLAIMED)}",
                runnable,
            )
            owed = store.owed(cursor, cursor.fetchall())
        if not owed and moved:
            return held, None
        if not owed:
            slots.give_back(store, cursor, held)
        return held, owed


def _leave(store: DatabaseStore, held: Sequence[Slot]) -> None:
    """Let others have the slots, as far as that can be done: something has failed."""
    with suppress(Exception), store.part(), store.cursor() as cursor:
        slots.give_back(store, cursor, held)


def _due(store: DatabaseStore, cursor: Any, held: Sequence[Slot], share: int) -> list[Row]:
    """The first of each slot that are due, by id."""
    # Not the bare column, for which MariaDB and SQLite would read and sort all that is due in the slot
    # (158,000 rows for 20, of 35,000 in eight slots).
    one = (
        f"SELECT * FROM (SELECT id, slot, receiver, ordering_key FROM {DELIVERY} "
        f"WHERE state = '{READY}' AND lane = %s AND slot = %s AND ordering_key IS NOT NULL "
        f"AND COALESCE(available_at, available_at) <= {store.now} ORDER BY id LIMIT {share}) AS s"
    )
    values = [value for slot in held for value in (slot.lane, slot.slot)]
    cursor.execute(" UNION ALL ".join([one] * len(held)), values)
    return sorted(Row(*row) for row in cursor.fetchall())


def _obstacles(
    store: DatabaseStore,
    cursor: Any,
    rows: Sequence[Row],
    held: Sequence[Slot],
    blocks: Callable[[str], bool],
) -> dict[Key, int | None]:
    """For each key the id of the first delivery that is in the way; a key that has gone is missing.

    What is ready but wasn't found due a moment ago is one: its time may have come since.
    """
    last: dict[bool, dict[Key, int]] = {True: {}, False: {}}
    for row in rows:
        last[blocks(row.receiver)][row.receiver, row.key] = row.id
    ids = [row.id for row in rows]
    others = f"AND d.id NOT IN ({marks(ids)})"
    hands = f"(d.lane <> %s OR d.slot NOT IN ({marks(held)}) OR d.available_at <= {store.now})"
    other = (READY, others, ids)
    in_hands = (READY, f"{others} AND {hands}", [*ids, held[0].lane, *(s.slot for s in held)])
    found: dict[Key, int | None] = {}
    states = [(state, "", list[Any]()) for state in (CLAIMED, DEAD, BLOCKED)]
    # One that skips waits only for what runs now, is in another's hands, or didn't fit in beside it.
    for keys, looks in ((last[True], [*states, other]), (last[False], [states[0], in_hands])):
        found |= _first(store, cursor, list(keys.values()), looks)
    return found


def _first(
    store: DatabaseStore,
    cursor: Any,
    ids: Sequence[int],
    looks: Iterable[tuple[str, str, list[Any]]],
) -> dict[Key, int | None]:
    """Of the keys of these, the first in one of the states, with its further condition.

    Each is one step in the index, however many deliveries the key has.
    """
    if not ids:
        return {}
    parts: list[str] = []
    values: list[Any] = []
    for state, condition, more in looks:
        parts.append(
            f"(SELECT d.id FROM {DELIVERY} d WHERE d.state = '{state}' AND d.receiver = r.receiver "
            f"AND {store.same_key} {condition} ORDER BY d.id LIMIT 1)"
        )
        values += more
    cursor.execute(
        f"SELECT r.receiver, r.ordering_key, {', '.join(parts)} FROM {DELIVERY} r "
        f"WHERE r.id IN ({marks(ids)})",
        [*values, *ids],
    )
    return {
        (receiver, key): min((id_ for id_ in firsts if id_ is not None), default=None)
        for receiver, key, *firsts in cursor.fetchall()
    }


def _sorted_out(
    rows: Iterable[Row], first: dict[Key, int | None], blocks: Callable[[str], bool]
) -> tuple[list[int], list[Row]]:
    """What may run, and what is to be set aside, behind the first obstacle of its key."""
    runnable: list[int] = []
    waiting: list[Row] = []
    for row in rows:
        if (row.receiver, row.key) not in first:
            continue
        obstacle = first[row.receiver, row.key]
        if obstacle is None or row.id < obstacle:
            runnable.append(row.id)
        elif blocks(row.receiver):
            waiting.append(row)
    return runnable, waiting


def _set_aside(
    store: DatabaseStore, cursor: Any, waiting: Sequence[Row], held: Sequence[Slot], *, full: bool
) -> int:
    """Have these blocked; where they may fill a slot, those of their keys behind them too."""
    ids = {row.id for row in waiting}
    if full:
        # Else the others of the slot come into sight a share at a time: 0.74 s behind a key of 20,000
        # on PostgreSQL, instead of 0.33 s.
        last = {(row.receiver, row.key, row.slot): row.id for row in waiting}  # they are in order
        for (receiver, key, slot), id_ in sorted(last.items()):
            cursor.execute(
                f"SELECT id FROM {DELIVERY} d WHERE state = '{READY}' AND receiver = %s "
                f"AND {store.is_key} AND lane = %s AND slot = %s AND id > %s "
                f"ORDER BY id LIMIT {SET_ASIDE}",
                [receiver, *[key] * store.is_key.count("%s"), held[0].lane, slot, id_],
            )
            ids |= {row[0] for row in cursor.fetchall()}
    moved = 0
    listed = sorted(ids)
    for start in range(0, len(listed), SET_ASIDE):
        some = listed[start : start + SET_ASIDE]
        cursor.execute(
            f"UPDATE {DELIVERY} SET state = '{BLOCKED}' WHERE id IN ({marks(some)}) "
            f"AND {store.still(READY)}",
            some,
        )
        moved += int(cursor.rowcount)
    return moved
