"""Whom a receiver is called for: several senders, subclasses, a model that is not loaded yet."""

from __future__ import annotations

from _weakref import ref

from signalpost.dispatch import hooks
from signalpost.dispatch.entries import refer_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from signalpost.dispatch.entries import Entry
    from signalpost.dispatch.registry import Registry
    from signalpost.dispatch.signal import Signal


def connect_each(
    signal: Signal,
    receiver: Any,
    senders: Collection[Any],
    weak: bool,
    dispatch_uid: Any,
    options: dict[str, Any],
) -> None:
    """Connect the receiver for each of the senders, or for none where one is refused."""
    connected: list[Any] = []
    try:
        for sender in senders:
            signal.connect(receiver, sender, weak, dispatch_uid, **options)
            connected.append(sender)
    except BaseException:
        for sender in connected:
            signal.disconnect(receiver, sender, dispatch_uid)
        raise


def disconnect_each(
    signal: Signal,
    receiver: Any,
    senders: Collection[Any],
    dispatch_uid: Any,
    options: dict[str, Any] | None = None,
) -> bool:
    """Disconnect the receiver for each of the senders. Whether it was connected for one."""
    done = [signal.disconnect(receiver, s, dispatch_uid, **(options or {})) for s in senders]
    return any(done)


def connect_when_loaded(
    signal: Signal,
    receiver: Any,
    label: str,
    weak: bool,
    dispatch_uid: Any,
    options: dict[str, Any],
) -> None:
    """Connect the receiver for the model too, as soon as there is one of that name."""
    if hooks.when_loaded is None:
        return
    reference = refer_to(receiver, _ignore, weak=weak)
    signal_reference = ref(signal)

    def connect(model: Any) -> None:
        alive, still = signal_reference(), reference()
        if alive is not None and still is not None:
            alive.connect(still, model, weak, dispatch_uid, **options)

    hooks.when_loaded(label, connect)
    signal._labels = (*signal._labels, label)


def disconnect_when_loaded(signal: Signal, receiver: Any, label: str, dispatch_uid: Any) -> None:
    if hooks.when_loaded is None or label not in signal._labels:
        return
    hooks.when_loaded(label, lambda model: signal.disconnect(receiver, model, dispatch_uid))


def _ignore(reference: object) -> None:
    """A receiver that is gone before the model is loaded needs no telling."""


def inherited(registry: Registry, sender: Any, own: list[Entry]) -> list[Entry]:
    """The connections for a class that the sender is a subclass of, the nearest of each."""
    if not isinstance(sender, type):
        return []
    found: list[Entry] = []
    for base in sender.__mro__[1:]:
        group = registry.groups.get(registry.dialect.make_id(base))
        if group is None or not group.is_for(base):
            continue
        known = [entry.receiver_id for entry in (*own, *found)]
        for entry in list(group.entries.values()):
            if entry.rules is not None and entry.rules.subclasses:
                found += [entry] if entry.receiver_id not in known else []
    return found
