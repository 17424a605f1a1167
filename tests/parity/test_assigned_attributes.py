"""The cache, the lock and the list itself, assigned by others."""

from __future__ import annotations

from typing import Any

from tests.parity.compare import differs, parity
from tests.parity.dispatchers import EVERY, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, connected

CACHING = tuple(d for d in EVERY if d.caching)


@parity()
def test_cache_may_be_replaced(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "ab")
    signal.sender_receivers_cache = type(signal.sender_receivers_cache)()
    d.send(signal, ANYONE)
    signal.disconnect(kept[0])
    d.send(signal, ANYONE)
    return calls.names(), signal.sender_receivers_cache.get(Sender("never sent"))


@parity()
def test_use_caching_may_be_switched(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "ab")
    signal.use_caching = not signal.use_caching
    d.refresh(signal)
    d.send(signal, ANYONE)
    signal.disconnect(kept[0])
    d.send(signal, ANYONE)
    signal.use_caching = not signal.use_caching
    d.refresh(signal)
    d.send(signal, ANYONE)
    return calls.names()


@parity()
def test_lock_may_be_replaced(d: Dispatcher) -> Any:
    import threading

    calls = Calls()
    signal, kept = connected(d, calls, "ab")
    signal.lock = threading.Lock()
    late = calls.receiver("late")
    signal.connect(late)
    signal.disconnect(kept[0])
    d.send(signal, ANYONE)
    with signal.lock:
        signal._clear_dead_receivers()
        signal.sender_receivers_cache.clear()
    return calls.names(), signal.has_listeners(ANYONE)


@parity()
def test_swapping_two_signals_lists(d: Dispatcher) -> Any:
    calls = Calls()
    one, kept = connected(d, calls, "ab")
    two, kept_too = connected(d, calls, "cd")
    one.receivers, two.receivers = two.receivers, one.receivers
    for signal in (one, two):
        d.refresh(signal)
        d.send(signal, ANYONE)
    return calls.names(), len(kept), len(kept_too)


@differs(django=(True, ["a", "late", "a", "late"]), ours=(False, ["a", "a", "late"]))
def test_assigned_list_is_copied_where_django_keeps_the_very_list(d: Dispatcher) -> Any:
    calls = Calls()
    one, kept = connected(d, calls, "a")
    two = d.make()
    two.receivers = one.receivers
    late = calls.receiver("late")
    two.connect(late)
    d.refresh(one)
    one.send(ANYONE)
    two.send(ANYONE)
    assert kept
    return two.receivers is one.receivers, calls.names()


@differs(
    django=[[], True, (1, 0)],
    ours=[[], False, (0, 0)],
    subjects=CACHING,
)
def test_emptied_list_has_no_listeners_at_once_where_djangos_cache_is_stale(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "a")
    signal.receivers = []
    signal.send(ANYONE)
    listening = signal.has_listeners(ANYONE)
    sync, later = signal._live_receivers(ANYONE)
    assert kept
    return [calls.names(), listening, (len(sync), len(later))]
