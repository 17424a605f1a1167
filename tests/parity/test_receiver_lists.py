"""`receivers` changed by others: swapped, mutated in place, filled by hand."""

from __future__ import annotations

from typing import Any

from tests.parity.compare import parity
from tests.parity.dispatchers import EVERY, PLAIN, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, connected

CACHING = tuple(d for d in EVERY if d.caching)


@parity()
def test_emptied_list_mutes_sends_at_once(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "ab")
    paused, signal.receivers = signal.receivers, []
    muted = [d.send(signal, ANYONE), d.send_robust(signal, ANYONE)]
    d.refresh(signal)
    listening = signal.has_listeners(ANYONE)
    signal.receivers = paused
    d.refresh(signal)
    d.send(signal, ANYONE)
    return muted, listening, len(kept), calls.names()


@parity()
def test_list_muted_and_restored_as_factory_boy_does(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "ab")
    late = calls.receiver("connected while muted")
    paused, signal.receivers = signal.receivers, []
    d.send(signal, ANYONE)
    signal.connect(late)
    d.send(signal, ANYONE)
    during = calls.names()
    signal.receivers = paused + signal.receivers
    with signal.lock:
        signal.sender_receivers_cache.clear()
    d.send(signal, ANYONE)
    after = calls.names()
    gone = [signal.disconnect(late), signal.disconnect(kept[0])]
    d.send(signal, ANYONE)
    return during, after, gone, calls.names()


@parity()
def test_muted_twice_as_nested_mutes_do(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "ab")
    outer, signal.receivers = signal.receivers, []
    inner, signal.receivers = signal.receivers, []
    signal.receivers = inner + signal.receivers
    d.refresh(signal)
    d.send(signal, ANYONE)
    still_muted = calls.names()
    signal.receivers = outer + signal.receivers
    d.refresh(signal)
    d.send(signal, ANYONE)
    return still_muted, len(kept), calls.names()


@parity()
def test_receiver_put_first_as_cacheops_does(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "ab")
    first = calls.receiver("first")
    old = signal.receivers
    signal.receivers = []
    signal.connect(first, sender=ANYONE)
    signal.receivers += old
    d.refresh(signal)
    for sender in (ANYONE, Sender("other")):
        d.send(signal, sender)
    return calls.names(), [signal.disconnect(receiver) for receiver in kept]


@parity(PLAIN)
def test_in_place_changes_are_seen_at_once(d: Dispatcher) -> Any:
    def swap_ends(entries: list[Any]) -> None:
        entries[0], entries[-1] = entries[-1], entries[0]

    outcome = {}
    for way, change in {
        "pop": lambda entries: entries.pop(),
        "pop first": lambda entries: entries.pop(0),
        "del slice": lambda entries: entries.__delitem__(slice(1, 3)),
        "reverse": lambda entries: entries.reverse(),
        "clear": lambda entries: entries.clear(),
        "swap ends": swap_ends,
        "double": lambda entries: entries.append(entries[0]),
        "insert a copy": lambda entries: entries.insert(0, entries[-1]),
        "repeat": lambda entries: entries.__imul__(2),
        "sort": lambda entries: entries.sort(key=lambda entry: entry[1]().__name__, reverse=True),
        "assign slice": lambda entries: entries.__setitem__(slice(None), entries[2:] + entries[:1]),
        "same again": lambda entries: entries.__setitem__(slice(None), list(entries)),
    }.items():
        calls = Calls()
        signal, kept = connected(d, calls, "badc")
        change(signal.receivers)
        d.send(signal, ANYONE)
        d.send_robust(signal, ANYONE)
        outcome[way] = (calls.names(), signal.has_listeners(ANYONE), len(kept))
    return outcome


@parity(CACHING)
def test_in_place_changes_are_seen_once_the_cache_is_cleared(d: Dispatcher) -> Any:
    outcome = []
    for change in ("reverse", "pop", "clear", "double"):
        calls = Calls()
        signal, kept = connected(d, calls, "abc")
        if change == "double":
            signal.receivers.append(signal.receivers[0])
        else:
            getattr(signal.receivers, change)()
        d.refresh(signal)
        d.send(signal, ANYONE)
        outcome.append((calls.names(), signal.has_listeners(ANYONE), len(kept)))
    return outcome


@parity()
def test_connect_and_disconnect_work_on_a_changed_list(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "abc")
    late = calls.receiver("late")
    signal.receivers.reverse()
    signal.connect(late)
    d.send(signal, ANYONE)
    first = calls.names()
    signal.receivers.append(signal.receivers[0])  # a second entry of the same key
    outcome = []
    for _ in range(3):
        outcome.append(signal.disconnect(kept[2]))
        d.send(signal, ANYONE)
        outcome.append(calls.names())
    return first, outcome


@parity()
def test_entry_of_another_signal_is_a_connection(d: Dispatcher) -> Any:
    calls = Calls()
    signal, other = d.make(), d.make()
    receiver, twin, strong = (calls.receiver(name) for name in ("r", "twin", "strong"))
    other.connect(receiver)
    other.connect(twin, sender=ANYONE, dispatch_uid="uid")
    other.connect(strong, weak=False)
    signal.receivers.extend(other.receivers)
    d.refresh(signal)
    d.send(signal, ANYONE)
    d.send(signal, Sender("stranger"))
    called = calls.names()
    signal.connect(receiver)  # a duplicate
    signal.connect(strong, sender=ANYONE, dispatch_uid="uid")  # too
    count = len(signal.receivers)
    gone = [signal.disconnect(strong), signal.disconnect(dispatch_uid="uid", sender=ANYONE)]
    d.send(signal, ANYONE)
    d.send(other, ANYONE)
    return called, count, gone, calls.names()


@parity()
def test_entry_written_by_hand_is_a_connection(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "a")
    shape = signal.receivers[0]
    by_hand = calls.receiver("by hand")
    signal.receivers.append((("any uid", id(None)), by_hand, *shape[2:]))
    signal.receivers.append((("another", id(ANYONE)), by_hand, *shape[2:]))
    d.refresh(signal)
    d.send(signal, ANYONE)
    d.send(signal, Sender("stranger"))
    called = calls.names()
    return called, len(kept), signal.disconnect(dispatch_uid="any uid"), len(signal.receivers)


@parity()
def test_dead_entries_of_a_restored_list_are_skipped(d: Dispatcher) -> Any:
    calls = Calls()
    signal, kept = connected(d, calls, "abc")
    paused, signal.receivers = signal.receivers, []
    d.refresh(signal)
    d.send(signal, ANYONE)
    del kept[1]
    signal.has_listeners(ANYONE)  # takes the flag down, the dead entry is elsewhere
    signal.receivers = paused + signal.receivers
    d.refresh(signal)
    d.send(signal, ANYONE)
    return calls.names(), len(kept)


@parity(PLAIN)
def test_equal_receiver_put_in_anothers_place_is_called(d: Dispatcher) -> Any:
    called = []

    class Equal:
        def __init__(self, name: str) -> None:
            self.name = name

        def __call__(self, **named: Any) -> None:
            called.append(self.name)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Equal)

        def __hash__(self) -> int:
            return 1

    outcome = []
    for weak in (True, False):
        signal, donor = d.make(), d.make()
        one, two = Equal("one"), Equal("two")
        signal.connect(one, weak=weak, dispatch_uid="uid")
        donor.connect(two, weak=weak, dispatch_uid="uid")
        d.send(signal, ANYONE)
        signal.receivers[:] = donor.receivers
        d.send(signal, ANYONE)
        outcome.append(list(called))
        called.clear()
    return outcome


@parity()
def test_list_of_another_type(d: Dispatcher) -> Any:
    class Own(list[Any]):
        pass

    calls = Calls()
    signal, kept = connected(d, calls, "ab")
    signal.receivers = Own(signal.receivers)
    d.refresh(signal)
    late = calls.receiver("late")
    d.send(signal, ANYONE)
    signal.connect(late)
    signal.receivers.pop(0)
    d.refresh(signal)
    d.send(signal, ANYONE)
    return calls.names(), isinstance(signal.receivers, list), len(kept)
