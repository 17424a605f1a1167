"""One connection: who it is, what it refers to, and whether that is still alive."""

from __future__ import annotations

from _weakref import ReferenceType, ref  # `weakref` takes 0.6 ms to import

from signalpost.dispatch.signatures import MethodType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from signalpost.dispatch.registry import Registry
    from signalpost.dispatch.rules import Rules

    RefBase = ref[Any]
else:
    RefBase = ref


def make_id(target: Any) -> Any:
    """The identity that Django gives to a receiver or a sender: its `id`, a pair for a method."""
    if hasattr(target, "__func__"):
        return (id(target.__self__), id(target.__func__))
    return id(target)


NONE_ID: int = id(None)


class Strong:
    """Stands where a weak reference stands, for what is held strongly."""

    __slots__ = ("referent",)

    referent: Any

    def __init__(self, referent: Any) -> None:
        self.referent = referent

    def __call__(self) -> Any:
        return self.referent


def is_weak(target: object) -> bool:
    """Whether a row's target is a reference, not the receiver itself."""
    return isinstance(target, ReferenceType)


class Entry:
    """One connection of a receiver to a signal.

    `receiver_id` is the `dispatch_uid` or the receiver's own id: with the sender it is the identity
    of the connection. `target()` gives the receiver, or None once it is dead. `position` counts up
    with each connection of the signal. 88 bytes: a signal may have 100,000 of them.
    """

    __slots__ = ("is_async", "position", "priority", "receiver_id", "sender_id", "target")

    is_async: bool
    position: int
    priority: float
    receiver_id: Any
    sender_id: Any
    target: Callable[[], Any]

    def __init__(
        self,
        receiver_id: Any,
        target: Callable[[], Any],
        *,
        is_async: bool,
        priority: float,
    ) -> None:
        self.receiver_id = receiver_id
        self.target = target
        self.is_async = is_async
        self.priority = priority
        self.position = 0
        self.sender_id = NONE_ID

    @property
    def key(self) -> tuple[Any, Any]:
        """The identity as Django writes it: ``(receiver_id, sender_id)``."""
        return (self.receiver_id, self.sender_id)

    @property
    def rules(self) -> Rules | None:
        """What the receiver was connected with beyond its sender, or None: see `rules`."""
        return getattr(self.target, "rules", None)

    @property
    def reference(self) -> Callable[[], Any]:
        """As `target`, but it gives the receiver itself where that has rules."""
        return getattr(self.target, "reference", self.target)


def call_order(entry: Entry) -> tuple[float, int]:
    """Higher priority first; among equals, the one that was connected first."""
    return (-entry.priority, entry.position)


def position_of(entry: Entry) -> int:
    return entry.position


def is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def refer_to(
    receiver: Any,
    when_dead: Callable[[Any], Any],
    *,
    weak: bool,
    make_ref: Callable[..., Callable[[], Any]] = ref,
) -> Callable[[], Any]:
    """A reference to the receiver, for as long as somebody else keeps it (`weak`) or for ever.

    `when_dead` is called from inside the garbage collector, which may run while a lock is held: it
    must take none. `make_ref` makes a weak reference.
    """
    if not weak:
        return Strong(receiver)
    if hasattr(receiver, "__self__") and hasattr(receiver, "__func__"):
        from weakref import WeakMethod

        return WeakMethod(receiver, when_dead)
    return make_ref(receiver, when_dead)


class SenderRef(RefBase):
    """A weak reference to a sender that forgets the sender's plan when the sender dies."""

    __slots__ = ("registry", "sender_id")

    registry: ref[Registry]
    sender_id: Any

    def __new__(cls, sender: object, registry: Registry, sender_id: Any) -> Self:
        self = super().__new__(cls, sender, _sender_died)
        self.registry = ref(registry)
        self.sender_id = sender_id
        return self

    def __init__(self, sender: object, registry: Registry, sender_id: Any) -> None:
        """All is done: `weakref.ref` would refuse these arguments."""

    def __deepcopy__(self, memo: object) -> Self:
        return self  # as `copy` does with a plain reference


def _sender_died(reference: Any) -> None:
    # At once, before the dead sender's id can be given to a new object; lock-free, for the garbage
    # collector may run anywhere.
    registry = reference.registry()
    if registry is None:
        return
    table = registry.table  # once: another thread may take it away in between
    if table is not None:
        table.forget(reference.sender_id)
    registry.dead.append(reference)


class Group:
    """The connections for one sender; those for any sender are the group of None."""

    __slots__ = ("entries", "sender", "sender_id")

    entries: dict[Any, Entry]
    sender: Callable[[], Any] | None
    sender_id: Any

    def __init__(self, sender_id: Any, sender: Callable[[], Any] | None) -> None:
        self.sender_id = sender_id
        self.sender = sender
        self.entries = {}

    @classmethod
    def of(cls, sender: Any, sender_id: Any, registry: Registry) -> Group:
        if sender is None:
            return cls(sender_id, None)
        if type(sender) is MethodType:  # a new object at each access: refer to what it is made of
            from weakref import WeakMethod

            return cls(sender_id, WeakMethod(sender))
        try:
            return cls(sender_id, SenderRef(sender, registry, sender_id))
        except TypeError:  # can't be weakly referenced. Held, so that its id isn't given away.
            return cls(sender_id, Strong(sender))

    def is_for(self, sender: Any) -> bool:
        """Whether the sender is the one that the group was made for, not one with a reused id.

        A group that was made from a row of Django 5.2 has no reference to its sender and has to
        trust the id, as Django 5.2 does, until it has seen the sender.
        """
        if self.sender is None:
            return True
        alive = self.sender()
        # Only methods are compared: each access of one makes a new object.
        return alive is sender or (type(alive) is MethodType and bool(alive == sender))

    def recognise(self, sender: Any, registry: Registry) -> None:
        """Refer to the sender from now on, if nothing does yet: its id may be given away."""
        if self.sender is None:
            self.sender = Group.of(sender, self.sender_id, registry).sender

    def take(self, key: Any, entry: Entry) -> bool:
        """Remove the entry, unless another has its place: a ``__del__`` may have run just now."""
        taken = self.entries.pop(key, None)
        if taken is not None and taken is not entry:
            self.entries.setdefault(key, taken)
        return taken is entry

    def is_dead(self) -> bool:
        return self.sender is not None and self.sender() is None
