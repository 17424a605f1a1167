"""New deliveries of messages that are kept, for receivers that are connected now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from signalpost import inspect
from signalpost.delivery import receivers as known
from signalpost.delivery.body import Opened
from signalpost.delivery.codec import Reading
from signalpost.delivery.durable import Durable
from signalpost.delivery.store import CANCELLED, READY, UNKEYED, NewDelivery, slot_of
from signalpost.dispatch.dialect import is_ours
from signalpost.dispatch.names import signal_name
from signalpost.dispatch.rules import Call
from signalpost.django.stores import store_for
from signalpost.django.stores.base import DELIVERY, MESSAGE, DatabaseStore, marks
from signalpost.exceptions import PayloadUnreadable

#: How many messages are replayed in one transaction.
BATCH = 100


def replay(
    alias: str,
    message_ids: Iterable[int],
    receivers: Collection[str] | None = None,
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Deliver kept messages once more; how many deliveries there will be.

    To the durable receivers that are connected to the message's signal now, for its sender, and that
    their own rules (`when`, `fields`) let be called; `receivers` names the keys of some of them. A
    receiver whose delivery isn't settled yet, or is dead, gets no second one.
    """
    store, ids, found = store_for(alias), sorted(set(message_ids)), 0
    senders = list(_connected(receivers))
    for start in range(0, len(ids), BATCH):
        found += _replay(store, ids[start : start + BATCH], senders)
        progress(found)
    return found


def _replay(store: DatabaseStore, ids: list[int], connected: list[Connected]) -> int:
    found = 0
    # Two that replay the same, and who deletes what nobody is owed, wait for each other.
    locked = " FOR UPDATE" if store.skip_locked else ""
    with store.part(), store.cursor() as cursor:
        cursor.execute(
            f"SELECT id, topic, version, body, headers, ordering_key FROM {MESSAGE} "
            f"WHERE id IN ({marks(ids)}) ORDER BY id{locked}",
            ids,
        )
        messages = cursor.fetchall()
        rows = _rows(cursor, ids)
        for id_, topic, version, body, headers, key in messages:
            kept = Kept(store.alias, topic, version, body, headers, key)
            for new, aliases in kept.deliveries(connected):
                row = next((rows[id_, name] for name in aliases if (id_, name) in rows), None)
                if row is None:
                    store.insert_deliveries(cursor, id_, [new])
                elif row[1] != CANCELLED or not _revive(store, cursor, row[0], new):
                    continue
                rows[id_, new.receiver] = (0, READY)
                found += 1
    return found


def _rows(cursor: Any, ids: list[int]) -> dict[tuple[int, str], tuple[int, str]]:
    cursor.execute(
        f"SELECT message_id, receiver, id, state FROM {DELIVERY} WHERE message_id IN ({marks(ids)})",
        ids,
    )
    return {
        (message, receiver): (id_, state) for message, receiver, id_, state in cursor.fetchall()
    }


def _revive(store: DatabaseStore, cursor: Any, id_: int, new: NewDelivery) -> bool:
    """Make a cancelled delivery what a new one would be."""
    slot = UNKEYED if new.key is None else slot_of(new.receiver, new.key, store.slots)
    cursor.execute(
        f"UPDATE {DELIVERY} SET state = '{READY}', receiver = %s, lane = %s, slot = %s, "
        f"ordering_key = %s, attempts = 0, max_attempts = %s, available_at = {store.now}, "
        f"fence = fence + 1, last_error = '', settled_at = NULL WHERE id = %s "
        f"AND state = '{CANCELLED}'",
        [new.receiver, new.lane, slot, new.key, new.max_attempts, id_],
    )
    return bool(cursor.rowcount)


class Connected:
    """A durable receiver, and for whom it is connected."""

    def __init__(self, durable: Durable, connection: inspect.Connection | None) -> None:
        self.durable = durable
        self.topic: str = signal_name(durable.signal)
        self.connection = connection

    def hears(self, sender: Any) -> bool:
        """Whether the receiver is called for the sender."""
        connection = self.connection
        if connection is None or connection.is_for_any:
            return True
        own = connection.sender
        if connection.with_subclasses and isinstance(own, type) and isinstance(sender, type):
            return issubclass(sender, own)
        return bool(own is sender or own == sender)


def _connected(keys: Collection[str] | None) -> Iterator[Connected]:
    """The durable receivers of this process, or those of them that have one of the keys."""
    for durable in known.known():
        names = {durable.key, *durable.options.aliases}
        if keys is not None and names.isdisjoint(keys):
            continue
        signal: Any = durable.signal
        connections = inspect.connections_of(signal) if is_ours(signal) else []
        mine = [c for c in connections if c.entry.rules is durable.rules]
        # Of a signal that isn't ours nobody knows for which senders: it has to be named.
        if mine or (keys is not None and not is_ours(signal)):
            yield Connected(durable, mine[0] if mine else None)


class Kept:
    """A message that is replayed."""

    def __init__(
        self, alias: str, topic: str, version: int, body: str, headers: str, key: str | None
    ) -> None:
        self.topic = topic
        self.key = key
        self.reading: Reading = Reading(alias)
        self.parts: tuple[str, str, int] = (body, headers, version)

    def deliveries(self, connected: Iterable[Connected]) -> Iterator[tuple[NewDelivery, list[str]]]:
        """What the receivers are owed of it, each with the keys that it may be stored under."""
        given: set[str] = set()
        for each in connected:
            durable = each.durable
            if each.topic != self.topic or durable.key in given:
                continue
            try:
                wanted, key = self._ask(each)
            except PayloadUnreadable:
                # Recorded all the same: the worker says of it why it can't be run.
                wanted, key = True, self.key if durable.options.key_of else None
            if wanted:
                given.add(durable.key)
                options = durable.options
                new = NewDelivery(durable.key, options.queue, options.max_attempts, key)
                yield new, [durable.key, *options.aliases]

    def _ask(self, connected: Connected) -> tuple[bool, str | None]:
        """Whether the receiver is to have it, and its key there. Raises a PayloadUnreadable."""
        durable, rules = connected.durable, connected.durable.rules
        opened = Opened(*self.parts)
        sender = opened.sender(self.reading)
        if rules is None or not connected.hears(sender):
            return False, None
        named = opened.named(self.reading, None)
        call = Call(durable.receiver, rules, durable.signal, sender, named)  # type: ignore[arg-type]  # alive
        call.added = opened.added(durable.key, self.reading)
        if "fields" in rules.options and "changes" not in call.added:
            return False, None  # what changed then is known of those that were to hear of it then
        if not all(condition(call) for condition in rules.conditions):
            return False, None
        key_of = durable.options.key_of
        return True, None if key_of is None else key_of(call)
