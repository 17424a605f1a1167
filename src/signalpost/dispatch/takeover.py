"""Giving a signal its registry: when it is made or, where it was made by Django, at first use."""

from __future__ import annotations

from _thread import RLock

from signalpost.dispatch.plan import forget_all
from signalpost.dispatch.registry import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from signalpost.dispatch.attributes import SignalAttributes

    S = TypeVar("S", bound=SignalAttributes)

_taking_over = RLock()

#: Whether a signal has to have its list of rows from the start, since its class makes none when asked.
shows_rows: Callable[[Any], bool] | None = None


def give_registry(
    signal: SignalAttributes, rows: Iterable[Any] = (), *, overridden: bool = False
) -> Registry:
    registry = Registry(signal, signal._dialect)
    registry.overridden = overridden
    with signal.lock:  # a send that finds the registry waits here for its connections
        signal._registry = registry
        if rows:
            registry.load(rows)
            registry.flagged = True  # some may be dead already
        elif shows_rows is not None and shows_rows(signal):
            registry.view()
        forget_all(registry)
    return registry


def make_twin(signal: S) -> S:
    """A copy of the signal, with a registry of its own that holds the same receivers."""
    twin = object.__new__(type(signal))
    for name, value in signal.__dict__.items():
        if name not in {"_registry", "_run", "lock", "receivers"}:
            object.__setattr__(twin, name, value)
    twin.lock = RLock()
    give_registry(twin, signal.receivers, overridden="_live_receivers" in signal.__dict__)
    return twin


def registry_of(signal: SignalAttributes) -> Registry:
    try:
        return signal._registry
    except AttributeError:
        return take_over(signal)


def take_over(signal: SignalAttributes) -> Registry:
    """Give a signal what it lacks, with the connections that it has already.

    One of Django's that was made before it was adopted comes here at its first use, and one of a
    subclass that doesn't call ``__init__``. Signals of ours never do: reading an instance's
    ``__dict__`` makes all its attributes slower (a send without receivers by a tenth, on 3.11).
    """
    with _taking_over:
        state: Any = signal.__dict__
        if "_registry" in state:  # another thread was first
            return signal._registry
        rows = state.pop("receivers", ())
        state.pop("_dead_receivers", None)
        signal.use_caching = state.get("use_caching", False)
        signal.lock = RLock()
        if "sender_receivers_cache" not in state:
            signal.sender_receivers_cache = {}
        signal._payload = None
        signal._looped = False
        return give_registry(signal, rows, overridden="_live_receivers" in state)
