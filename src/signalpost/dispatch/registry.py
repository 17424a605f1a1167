"""One signal's connections, keyed, so that connecting and disconnecting cost the same at any size.

Only `connect`, `disconnect` and the making of plans take the signal's lock; a send takes none. The
lock is re-entrant, since the garbage collector may run under it, and with it a user's ``__del__``
that connects. For the same reason each loop here runs over a copy, and whoever publishes something
that was computed from the connections looks afterwards whether `version` is still the same.
"""

from __future__ import annotations

from signalpost.dispatch import known
from signalpost.dispatch.dialect import unpack_row
from signalpost.dispatch.entries import NONE_ID, Entry, Group, call_order, is_hashable, position_of
from signalpost.dispatch.plan import forget, forget_all
from signalpost.dispatch.rows import ListBase, ReceiverList, load_row, rows_without
from signalpost.dispatch.unheard import mark_lost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from signalpost.dispatch.attributes import SignalAttributes
    from signalpost.dispatch.dialect import Dialect
    from signalpost.dispatch.plan import Table
    from signalpost.dispatch.unheard import Noted


class Registry:
    """The connections of one signal, in groups by sender."""

    __slots__ = (
        "__weakref__",
        "count",
        "dead",
        "dialect",
        "flagged",
        "groups",
        "hidden",
        "inherits",
        "irregular",
        "note_death",
        "noted",
        "odd_ids",
        "ordered",
        "overridden",
        "position",
        "rows",
        "scopes",
        "signal",
        "table",
        "version",
    )

    count: int
    dead: list[Any]
    dialect: Dialect
    flagged: bool
    groups: dict[Any, Group]
    hidden: bool
    inherits: bool
    irregular: bool
    note_death: Callable[[Any], None]
    noted: dict[Entry, Noted]
    odd_ids: bool
    ordered: bool
    overridden: bool
    position: int
    rows: ReceiverList | None
    scopes: int
    signal: Callable[[], SignalAttributes | None]
    table: Table | None
    version: int

    def __init__(self, signal: SignalAttributes, dialect: Dialect) -> None:
        # Weakly: a signal that nobody keeps goes at once, not at the next garbage collection.
        self.signal = known.reference_to(signal)
        self.dialect = dialect
        self.groups = {}
        self.count = 0
        self.position = 0
        self.version = 0
        # References that died since the last sweep. Its `append` is their callback: one step in C,
        # without a lock, safe wherever the garbage collector runs.
        self.dead = []
        self.note_death = self.dead.append
        # The receivers since the last plan that people lose: see `unheard`.
        self.noted = {}
        self.flagged = False
        # Whether an id can't be hashed, or stands twice, so that it takes a search.
        self.irregular = False
        # Whether the signal itself, not its class, has a `_live_receivers`.
        self.overridden = False
        self.rows = None
        # Whether `receivers` was deleted and not assigned since, as `mock.patch.object` does.
        self.hidden = False
        # The plans of its senders. None: a connection has changed since they were made. One
        # pointer, so that nobody sees a plan of one age with the default of another.
        self.table = None
        # Whether some sender's id isn't its `id()`: methods, and where `_make_id` was replaced.
        self.odd_ids = False
        # Whether some receiver was connected with `subclasses`, and with `before` or `after`.
        self.inherits = self.ordered = False
        self.scopes = 0  # how many scopes, of `mute` and `capture`, are about the signal

    def add(self, entry: Entry, sender: Any, sender_id: Any) -> None:
        """Add the connection, unless it is there already. The caller holds the lock."""
        if self.flagged or len(self.dead) > 32 + self.count // 2:
            self.sweep()
        group = self.groups.get(sender_id)
        if group is not None and sender is not None and not group.is_for(sender):
            self._drop_group(group)  # its sender is dead and this one has its id
            group = None
        found = self.find(entry.receiver_id, sender, sender_id)
        if found is not None:
            if found.target() is not None:
                return
            if self.noted:
                mark_lost(self)
            self.remove(found)  # dead: it must not keep a living one out
            group = self.groups.get(sender_id)
        if group is None:
            # In one step: a ``__del__`` may connect while the group is made.
            group = self.groups.setdefault(sender_id, Group.of(sender, sender_id, self))
        version, rows = self.version, self.rows
        self.place(entry, group)
        if self.rows is not None:
            row = self.dialect.make_row(entry, group.sender)
            unchanged = rows is self.rows and self.version == version + 1
            ListBase.append(self.rows, row) if unchanged else self._show(self.rows)
        forget(self, sender_id, sender)

    def find(self, receiver_id: Any, sender: Any, sender_id: Any) -> Entry | None:
        group = self.groups.get(sender_id)
        if group is None or (sender is not None and not group.is_for(sender)):
            return None
        if self.irregular or not is_hashable(receiver_id):
            entries = sorted(group.entries.values(), key=position_of)
            return next((e for e in entries if e.receiver_id == receiver_id), None)
        return group.entries.get(receiver_id)

    def remove(self, entry: Entry) -> None:
        """Remove the connection. The caller holds the lock."""
        group = self.groups.get(entry.sender_id)
        if group is None:  # a ``__del__`` was faster
            return
        key = entry.receiver_id
        if self.irregular:
            keys = [key for key in list(group.entries) if group.entries.get(key) is entry]
            key = keys[0] if keys else None
        if group.take(key, entry):
            self._forget(group, [entry])

    def entries(self) -> list[Entry]:
        """All connections, in the order in which they were made."""
        groups = list(self.groups.values())
        return sorted((e for g in groups for e in list(g.entries.values())), key=position_of)

    def entries_for(self, sender: Any, sender_id: Any) -> list[Entry]:
        """The connections that a send by this sender reaches, in call order."""
        anybody = self.groups.get(NONE_ID)
        entries = [] if anybody is None else list(anybody.entries.values())
        group = self.groups.get(sender_id)
        if group is not None and group is not anybody and group.is_for(sender):
            group.recognise(sender, self)
            entries += group.entries.values()
        if self.inherits:
            from signalpost.dispatch.senders import inherited

            entries += inherited(self, sender, entries)
        if self.ordered:
            from signalpost.dispatch.order import arrange

            return arrange(entries)
        entries.sort(key=call_order)
        return entries

    def count_living(self) -> int:
        """How many connections there are, without those that the next sweep removes."""
        if not self.has_dead():
            return self.count
        groups = [group for group in list(self.groups.values()) if not group.is_dead()]
        entries = [entry for group in groups for entry in list(group.entries.values())]
        return sum(entry.target() is not None for entry in entries)

    def sweep(self) -> None:
        """Remove the dead, and the connections of dead senders. The caller holds the lock."""
        if self.noted:
            mark_lost(self)
        self.flagged = False
        self.dead.clear()
        shown = self.rows is not None
        self.rows = None
        for group in list(self.groups.values()):
            if group.is_dead():
                self._drop_group(group)
                continue
            entries = group.entries
            # No `items()`: its pairs may set off the collector, which may change the dict meanwhile.
            every = [(key, entries.get(key)) for key in list(entries)]
            dead = [(key, e) for key, e in every if e is not None and e.target() is None]
            gone = [e for key, e in dead if group.take(key, e)]
            if gone:
                self._forget(group, gone)
        if shown:
            self._show(ReceiverList(self))  # a new list, as in Django: somebody may read the old

    def override(self, overridden: bool) -> None:
        """The signal was given a `_live_receivers` of its own, or has lost it.

        The caller holds the lock.
        """
        self.overridden = overridden
        self.version += 1
        forget_all(self)

    def has_dead(self) -> bool:
        return self.flagged or bool(self.dead)

    def view(self) -> ReceiverList:
        """The list that Django calls `receivers`. The caller holds the lock."""
        if self.rows is None or self.has_dead():
            self.sweep()
        return self._show(ReceiverList(self)) if self.rows is None else self.rows

    def _show(self, rows: ReceiverList) -> ReceiverList:
        """Fill the list and make it what `receivers` is."""
        make_row = self.dialect.make_row
        self.hidden = False
        while True:
            version = self.version
            senders = {group.sender_id: group.sender for group in list(self.groups.values())}
            made = [make_row(entry, senders.get(entry.sender_id)) for entry in self.entries()]
            ListBase.__setitem__(rows, slice(None), made)
            self.rows = rows
            signal = self.signal()
            if signal is not None:
                object.__setattr__(signal, "receivers", rows)
            if version == self.version:
                return rows

    def hide(self) -> None:
        """Forget all, as `receivers` is about to be deleted. The caller holds the lock."""
        self.load(())
        self.rows = None
        self.hidden = True

    def load(self, rows: Iterable[Any]) -> None:
        """Take the rows as the connections from now on, in their order. The caller holds the lock."""
        # All read before anything changes: a row may be malformed, or `rows` the list replaced.
        incoming = [(row, *unpack_row(row)) for row in rows]
        self.groups = {}
        self.count = 0
        self.irregular = False
        for connection in incoming:
            load_row(self, *connection)
        if not isinstance(rows, ReceiverList) or rows.registry is not self:
            rows = ReceiverList(self)
        self._show(rows)
        forget_all(self)

    def place(self, entry: Entry, group: Group) -> None:
        """Put the entry into the group, as the latest of all."""
        self.position += 1
        entry.position = self.position
        entry.sender_id = group.sender_id
        key = entry.receiver_id
        if not is_hashable(key) or key in group.entries:
            self.irregular = True
            key = object()
        group.entries[key] = entry
        self.count += 1
        self.version += 1
        rules, signal = entry.rules, self.signal()
        if known.everywhere and signal is not None:
            known.announce(signal)
        if rules is not None and signal is not None:
            signal._ruled = signal._looped = True
            self.inherits = self.inherits or rules.subclasses
            self.ordered = self.ordered or bool(rules.before or rules.after)

    def _drop_group(self, group: Group) -> None:
        gone = list(group.entries.values())
        group.entries.clear()
        self._forget(group, gone)

    def _forget(self, group: Group, gone: list[Entry]) -> None:
        self.count -= len(gone)
        self.version += 1
        if not group.entries and self.groups.get(group.sender_id) is group:
            del self.groups[group.sender_id]
        version, rows = self.version, self.rows
        if rows is not None:
            left = rows_without(rows, set(gone))
            unchanged = version == self.version and rows is self.rows and len(left) == self.count
            ListBase.__setitem__(rows, slice(None), left) if unchanged else self._show(rows)
        forget(self, group.sender_id, None)
