"""The durable receivers of this process, by the keys that their deliveries are stored under."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signalpost.delivery.durable import Durable

_by_key: dict[str, list[weakref.ref[Durable]]] = {}
_lock = threading.Lock()


def remember(durable: Durable) -> None:
    """Have the receiver found by its key and its aliases, for as long as it is connected."""
    reference = weakref.ref(durable)
    with _lock:
        for key in (durable.key, *durable.options.aliases):
            alive = [each for each in _by_key.get(key, ()) if each() is not None]
            _by_key[key] = [*alive, reference]  # at once: others read without the lock


def find(key: str, topic: str) -> Durable | None:
    """The receiver that is connected under the key to the signal of that name, or None.

    It is looked for among what is connected here: a row can name nothing else.
    """
    for reference in _by_key.get(key, ()):
        durable = reference()
        if durable is not None and durable.is_connected and durable.topic == topic:
            return durable
    return None


def blocks(key: str) -> bool:
    """Whether a delivery of this receiver that fails holds up those after it; unknown ones do."""
    found = [durable for each in _by_key.get(key, ()) if (durable := each()) is not None]
    return all(durable.options.blocks for durable in found if durable.is_connected)


def conflicting(durable: Durable) -> Durable | None:
    """Another receiver of the same signal, or of one of the same name, that has a key of this one."""
    for key in (durable.key, *durable.options.aliases):
        for reference in _by_key.get(key, ()):
            other = reference()
            if other is None or not other.is_connected or other.receiver == durable.receiver:
                continue
            if other.signal is durable.signal or other.topic == durable.topic:
                return other
    return None


def known() -> list[Durable]:
    """All durable receivers that are connected, each once."""
    found = {id(d): d for each in list(_by_key.values()) for r in each if (d := r()) is not None}
    return [durable for durable in found.values() if durable.is_connected]


def keys() -> set[str]:
    """All keys and aliases."""
    return {key for durable in known() for key in (durable.key, *durable.options.aliases)}


def reference_to(receiver: Any) -> Callable[[], Any]:
    """A weak reference, or a strong one where there can't be any."""
    if hasattr(receiver, "__self__") and hasattr(receiver, "__func__"):
        return weakref.WeakMethod(receiver)
    try:
        return weakref.ref(receiver)
    except TypeError:
        return lambda: receiver
