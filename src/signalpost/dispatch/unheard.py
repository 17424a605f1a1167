"""Receivers that died before their signal was sent: a lambda that was connected and not kept.

`connect` notes those that people lose. A sweep marks the dead among them, and whoever makes a plan,
which calls those that are left, tells of the marked, once it has let go of the lock: a warning runs
others' code. Sends that have a plan never come here, and the garbage collector neither.
"""

from __future__ import annotations

import sys

from signalpost.dispatch.names import short_name, signal_name, wrapped_by_partial
from signalpost.dispatch.signatures import FunctionType, MethodType
from signalpost.exceptions import DeadReceiverWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from signalpost.dispatch.entries import Entry
    from signalpost.dispatch.registry import Registry
    from signalpost.dispatch.signal import Signal

# Who connects more than that before the first send isn't told of the earlier ones.
KEPT: int = 64

# What `warnings` keeps of the places that it has warned of.
_told: dict[Any, Any] = {}


class Noted:
    """What to call a receiver that may be lost, once it is."""

    __slots__ = ("function", "is_lost", "module", "name")

    #: What is left of the function: the code keeps nothing alive that the module doesn't.
    function: CodeType
    is_lost: bool
    module: str
    name: str

    def __init__(self, function: FunctionType, name: str) -> None:
        self.function = function.__code__
        self.is_lost = False
        self.module = function.__module__
        self.name = name


def note(registry: Registry, entry: Entry, receiver: Any) -> None:
    """Note a receiver that was connected weakly, if people lose its kind. The caller holds the lock.

    A lambda, a local function, a partial of a function; and a method that alone keeps its object.
    """
    function: Any
    if type(receiver) is FunctionType:
        if "<" not in receiver.__code__.co_qualname:  # "<lambda>", "<locals>"
            return
        function, name = receiver, receiver.__qualname__
    elif type(receiver) is MethodType:
        # One reference is the method's, the other the argument's.
        if sys.getrefcount(receiver.__self__) > 2:  # noqa: PLR2004 - as the comment says
            return
        function, name = receiver.__func__, receiver.__qualname__
    else:
        function = wrapped_by_partial(receiver)
        if function is None:
            return
        function, name = getattr(function, "__func__", function), short_name(receiver)
    if type(function) is FunctionType:
        if len(registry.noted) >= KEPT:
            registry.noted.clear()
        registry.noted[entry] = Noted(function, name)


def mark_lost(registry: Registry) -> None:
    """Mark those of the noted that have died since. The caller holds the lock, and sweeps next."""
    for entry in list(registry.noted):
        noted = registry.noted.get(entry)
        if noted and entry.target() is None and _is_connected(registry, entry):
            noted.is_lost = True


def let_off(registry: Registry) -> None:
    """Forget those that a plan is made of: they are heard. The caller holds the lock."""
    mark_lost(registry)
    for entry in list(registry.noted):
        if not _is_lost(registry, entry):
            registry.noted.pop(entry, None)


def tell(signal: Signal) -> None:
    """Warn of the receivers that died unheard: once for each place in the code."""
    registry = signal._registry
    with signal.lock:
        lost = [
            registry.noted.pop(each) for each in list(registry.noted) if _is_lost(registry, each)
        ]
    if not lost:
        return
    from warnings import warn_explicit

    for each in lost:
        warn_explicit(
            f"Receiver '{each.module}.{each.name}' of signal '{signal_name(signal)}' was gone before the "
            "signal was sent: it is referred to weakly, and nothing else kept it. Keep it, in a "
            "variable of the module, say, or connect it with weak=False.",
            DeadReceiverWarning,
            each.function.co_filename,
            each.function.co_firstlineno,
            module=each.module,
            registry=_told,
        )


def _is_lost(registry: Registry, entry: Entry) -> bool:
    noted = registry.noted.get(entry)
    return noted is not None and noted.is_lost


def _is_connected(registry: Registry, entry: Entry) -> bool:
    """Whether the connection still stands: for a sender that lives, and not in a replaced list."""
    group = registry.groups.get(entry.sender_id)
    if group is None or group.is_dead():
        return False
    if registry.irregular:
        return any(each is entry for each in list(group.entries.values()))
    return group.entries.get(entry.receiver_id) is entry
