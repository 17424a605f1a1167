"""What is kept for receivers that nobody is any more, and for queues that nobody has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from signalpost.delivery import receivers
from signalpost.delivery.store import UNSETTLED
from signalpost.dispatch.names import signal_name
from signalpost.django.stores.base import DELIVERY, MESSAGE, DatabaseStore

_STATES = ", ".join(f"'{state}'" for state in UNSETTLED)


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A key with deliveries that aren't settled, and without a receiver."""

    key: str
    #: The signal of the earliest of its deliveries.
    signal: str
    count: int
    #: A key that the receiver may have now.
    near: str | None

    @property
    def message(self) -> str:
        """What is wrong."""
        question = f" Did you mean '{self.near}'?" if self.near else ""
        owed = "1 delivery is" if self.count == 1 else f"{self.count:,} deliveries are"
        return (
            f"{owed} kept for receiver '{self.key}' of signal '{self.signal}', which isn't connected "
            f"under that key.{question}"
        )

    @property
    def hint(self) -> str:
        """What to do."""
        return (
            f'If it was renamed, connect it with aliases=["{self.key}"]. If it is gone for good: '
            f"manage.py signalpost cancel --receiver {self.key}"
        )


def unknown_keys(store: DatabaseStore) -> list[UnknownKey]:
    """The keys in the table that no connected receiver has, whether as its key or as an alias."""
    with store.cursor() as cursor:
        cursor.execute(
            f"SELECT g.receiver, m.topic, g.owed FROM (SELECT receiver, min(message_id) AS first, "
            f"count(*) AS owed FROM {DELIVERY} WHERE state IN ({_STATES}) GROUP BY receiver) g "
            f"JOIN {MESSAGE} m ON m.id = g.first ORDER BY g.receiver"
        )
        rows = cursor.fetchall()
    return [
        UnknownKey(key, topic, count, _nearest(key, topic))
        for key, topic, count in rows
        if receivers.find(key, topic) is None
    ]


def known_queues(store: DatabaseStore) -> set[str]:
    """The queues of the connected receivers, and those that something is ready in."""
    return {durable.options.queue for durable in receivers.known()}.union(store.lanes())


def nearest(name: str, names: Collection[str]) -> str | None:
    """The name that was probably meant."""
    near = get_close_matches(name, names, n=1)
    return near[0] if near else None


def _nearest(key: str, topic: str) -> str | None:
    durables = receivers.known()
    of_signal = {d.key for d in durables if signal_name(d.signal) == topic}
    last = key.rpartition(".")[2]
    moved = [each for each in sorted(of_signal) if each.rpartition(".")[2] == last]
    return nearest(key, of_signal) or (moved[0] if moved else None)
