"""Deliveries that were set aside behind another of their key, and may be claimed again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from signalpost.delivery.store import BLOCKED, CLAIMED, DEAD, READY
from signalpost.django.stores.tables import BATCH, DELIVERY, marks

if TYPE_CHECKING:
    from signalpost.django.stores.base import DatabaseStore

#: How many are released at once; the rest of a key follow as those are settled.
RELEASED = 200


def release_keys(store: DatabaseStore, cursor: Any, keys: Iterable[tuple[str, str]]) -> None:
    """Make what is blocked of these keys, each of a receiver, ready, the earliest first."""
    by_receiver: dict[str, set[str]] = {}
    for receiver, key in keys:
        by_receiver.setdefault(receiver, set()).add(key)
    for receiver, wanted in sorted(by_receiver.items()):
        left = sorted(wanted)
        while left:
            found = _blocked(store, cursor, receiver, left)
            _release(store, cursor, [id_ for id_, _ in found])
            if len(found) < RELEASED:
                break
            # A full page may have hidden the keys behind it.
            seen = {key for _, key in found}
            left = [key for key in left if key not in seen]


def _blocked(
    store: DatabaseStore, cursor: Any, receiver: str, keys: Sequence[str]
) -> list[tuple[int, str]]:
    # One look for all keys: of most nothing is blocked.
    cursor.execute(
        f"SELECT id, ordering_key FROM {DELIVERY} WHERE state = '{BLOCKED}' AND receiver = %s "
        f"AND ordering_key IN ({marks(keys)}) ORDER BY receiver, ordering_key, id "
        f"LIMIT {RELEASED}{store.skip_locked}",
        [receiver, *keys],
    )
    return list(cursor.fetchall())


def _release(store: DatabaseStore, cursor: Any, ids: Sequence[int]) -> None:
    if ids:
        cursor.execute(
            f"UPDATE {DELIVERY} SET state = '{READY}' WHERE id IN ({marks(ids)}) "
            f"AND {store.still(BLOCKED)}",
            sorted(ids),
        )


def free(store: DatabaseStore, cursor: Any) -> None:
    """Release the keys of which nothing is in the way any more.

    Whoever settles a delivery releases those after it. This is for what was cancelled or deleted
    meanwhile, and for those that were set aside in the same moment.
    """
    # Not NOT EXISTS, for which a planner may join all that is claimed, say, with all of these.
    earlier = " ".join(
        f"AND (SELECT d.id FROM {DELIVERY} d WHERE d.state = '{state}' "
        f"AND d.receiver = r.receiver AND {store.same_key} AND d.id < r.id "
        "ORDER BY d.id LIMIT 1) IS NULL"
        for state in (READY, CLAIMED, DEAD)
    )
    cursor.execute(
        f"SELECT r.receiver, r.ordering_key FROM (SELECT receiver, ordering_key, min(id) AS id "
        f"FROM {DELIVERY} WHERE state = '{BLOCKED}' AND ordering_key IS NOT NULL "
        f"GROUP BY receiver, {store.key_exactly}) r "
        f"WHERE 1 = 1 {earlier} LIMIT {BATCH}"
    )
    release_keys(store, cursor, cursor.fetchall())
