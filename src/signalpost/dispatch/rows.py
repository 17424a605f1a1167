"""The `receivers` list: what Django's users read and replace, kept in step with the registry.

The registry is the truth and the list a view of it, made when it is first read. A change of the
list, from outside, is read back into the registry at once: people mute a signal by swapping the
list, or put their own receiver first by ``+=``.
"""

from __future__ import annotations

from signalpost.dispatch.entries import Entry, Group, Strong, is_weak

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from signalpost.dispatch.registry import Registry

    Connection = tuple[Entry, Callable[[], Any] | None]
    TupleBase = tuple[Any, ...]
    ListBase = list[Any]

else:
    TupleBase = tuple
    ListBase = list


class _IntId(int):
    """A sender's id that remembers the connection: see `mark`."""

    connection: Connection

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return (int, (int(self),))  # copies and pickles are plain: the connection isn't theirs


class _PairId(TupleBase):
    """As `_IntId`, for a sender that is a method."""

    connection: Connection

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return (tuple, (tuple(self),))


_MARKED: dict[type, type[Any]] = {int: _IntId, tuple: _PairId}
_PLAIN: dict[type, type[Any]] = {marked: plain for plain, marked in _MARKED.items()}


def mark(row: tuple[Any, ...], entry: Entry, sender: Callable[[], Any] | None) -> tuple[Any, ...]:
    """The row, as it is but for a sender's id that remembers the entry and the sender.

    It stays a plain tuple: Django's own `_live_receivers`, where somebody has kept it, takes 2 %
    longer to unpack any other. An id of a kind that only a replaced `_make_id` gives stays
    unmarked, and a list that is swapped and put back then forgets priorities and rules.
    """
    (receiver_id, sender_id), *rest = row
    marked = _MARKED.get(sender_id.__class__)
    if marked is not None:
        sender_id = marked(sender_id)
        sender_id.connection = (entry, sender)
    return ((receiver_id, sender_id), *rest)


def connection_of(row: Any) -> Connection | None:
    """The entry and the sender that a row stands for, where it was made here.

    Not for a row that somebody made with another receiver and the sender's id of one of ours.
    """
    (receiver_id, sender_id), target, *_ = row
    connection: Connection | None = getattr(sender_id, "connection", None)
    if connection is None:
        return None
    entry = connection[0]
    same = entry.receiver_id == receiver_id and shown_target(entry) is target
    return connection if same else None


def rows_without(rows: Iterable[Any], gone: set[Entry]) -> list[Any]:
    """The rows but for those of some connections, and those that nobody knows."""
    known = [(row, connection_of(row)) for row in rows]
    return [row for row, connection in known if connection and connection[0] not in gone]


def shown_target(entry: Entry) -> Any:
    """What a row shows of the receiver: a weak reference to it, or itself."""
    reference: Any = entry.reference
    return reference.referent if type(reference) is Strong else reference


class ReceiverList(ListBase):
    """A list of rows that tells its registry about each change made from outside."""

    # A list has no __dict__; the slot keeps it a plain list to everybody else.
    __slots__ = ("registry",)

    registry: Registry

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self.registry = registry

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return (list, (list(self),))  # a copy is nobody's list of receivers


def load_row(
    registry: Registry, row: Any, key: Any, target: Any, sender_ref: Any, is_async: bool
) -> None:
    """Add the connection that a row stands for; none where its sender is dead."""
    priority: float = 0
    reference: Any
    made_here = connection_of(row)
    if made_here is not None:
        entry, sender_ref = made_here
        priority, reference = entry.priority, entry.target
    else:
        reference = target if is_weak(target) else Strong(target)
    receiver_id, sender_id = key
    plain = _PLAIN.get(sender_id.__class__)
    if plain is not None:
        sender_id = plain(sender_id)
    group = registry.groups.get(sender_id)
    if group is None:
        sender = None if sender_ref is None else sender_ref()
        if sender is None:
            if sender_ref is not None:
                return
            group = Group(sender_id, None)
        else:
            group = Group.of(sender, sender_id, registry)
        registry.groups[sender_id] = group
    registry.place(Entry(receiver_id, reference, is_async=is_async, priority=priority), group)


def _read_back(name: str) -> Callable[..., Any]:
    change = getattr(list, name)

    def method(self: ReceiverList, *args: Any, **kwargs: Any) -> Any:
        registry = self.registry
        before: list[Any] = list(self)
        try:
            result = change(self, *args, **kwargs)
        except BaseException:  # halfway through somebody's generator
            ListBase.__setitem__(self, slice(None), before)
            raise
        # Not for a list that was swapped out, as factory_boy does, or whose signal is gone.
        signal = registry.signal()
        if registry.rows is self and signal is not None:
            try:
                with signal.lock:
                    registry.load(self)
            except (TypeError, ValueError):  # not a row
                ListBase.__setitem__(self, slice(None), before)
                raise
        return result

    method.__name__ = name
    method.__qualname__ = f"ReceiverList.{name}"
    method.__doc__ = change.__doc__
    return method


for _name in (
    "__delitem__",
    "__iadd__",
    "__imul__",
    "__setitem__",
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "sort",
):
    setattr(ReceiverList, _name, _read_back(_name))
