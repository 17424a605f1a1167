"""Receivers and senders that die: skipped, cleaned up, never kept alive."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from tests.parity.compare import parity
from tests.parity.dispatchers import Dispatcher
from tests.parity.observe import ANYONE, Calls, ignore


@parity()
def test_dead_receiver_is_skipped(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    first, second, third = (calls.receiver(name) for name in ("first", "second", "third"))
    for receiver in (first, second, third):
        signal.connect(receiver)
    d.send(signal, ANYONE)
    before = calls.names()
    del second, receiver
    d.send(signal, ANYONE)
    after = calls.names()
    del third
    d.send(signal, ANYONE)
    return before, after, calls.names()


@parity()
def test_dead_receivers_are_cleaned_up_by_each_of_these(d: Dispatcher) -> Any:
    def locked(signal: Any) -> None:
        with signal.lock:
            signal._clear_dead_receivers()

    ways = {
        "has_listeners": lambda signal: signal.has_listeners(ANYONE),
        "send": lambda signal: d.send(signal, ANYONE),
        "send_robust": lambda signal: d.send_robust(signal, ANYONE),
        "_live_receivers": lambda signal: signal._live_receivers(ANYONE),
        "connect": lambda signal: signal.connect(ignore),
        "disconnect": lambda signal: signal.disconnect(ignore),
        "_clear_dead_receivers": locked,
    }
    outcome = {}
    for way, clean in ways.items():
        signal = d.make()
        receiver, kept = Calls().receiver("r"), Calls().receiver("kept")
        signal.connect(receiver)
        signal.connect(kept)
        d.send(signal, ANYONE)
        del receiver
        flagged = signal._dead_receivers
        clean(signal)
        outcome[way] = (flagged, len(signal.receivers), signal._dead_receivers)
    return outcome


@parity()
def test_flag_alone_cleans_nothing_away(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    d.send(signal, ANYONE)
    flag = getattr(
        signal,
        "_flag_dead_receivers" if hasattr(signal, "_flag_dead_receivers") else "_remove_receiver",
    )
    flag()
    flagged = signal._dead_receivers
    listening = signal.has_listeners(ANYONE)
    signal._dead_receivers = True
    d.send(signal, ANYONE)
    return flagged, listening, len(signal.receivers), calls.names()


@parity()
def test_clearing_the_dead_rebinds_the_list(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    signal.connect(receiver)
    signal.connect(ignore)
    before = signal.receivers
    with signal.lock:
        signal._clear_dead_receivers()
    unflagged = signal.receivers is before
    del receiver
    with signal.lock:
        signal._clear_dead_receivers()
    return unflagged, signal.receivers is before, len(before), len(signal.receivers)


@parity()
def test_receiver_in_a_cycle_dies_when_collected(d: Dispatcher) -> Any:
    class Knot:
        def __init__(self) -> None:
            self.me = self

        def hear(self, **named: Any) -> str:
            return "knot"

    gc.disable()
    try:
        signal = d.make()
        knot = Knot()
        signal.connect(knot.hear)
        del knot
        before = len(d.send(signal, ANYONE))
        gc.collect()
    finally:
        gc.enable()
    return before, signal.has_listeners(ANYONE), d.send(signal, ANYONE), signal.receivers


@parity()
def test_sends_keep_no_receiver_alive(d: Dispatcher) -> Any:
    class Listener:
        def hear(self, **named: Any) -> None: ...

    signal = d.make()
    listener, receiver = Listener(), Calls().receiver("r")
    signal.connect(listener.hear)
    signal.connect(receiver, sender=ANYONE)
    d.send(signal, ANYONE)
    d.send_robust(signal, ANYONE)
    signal._live_receivers(ANYONE)
    references = [weakref.ref(listener), weakref.ref(receiver)]
    del listener, receiver
    return [reference() for reference in references]


@parity()
def test_disconnecting_lets_a_strong_receiver_go(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    signal.connect(receiver, weak=False)
    d.send(signal, ANYONE)
    reference = weakref.ref(receiver)
    signal.disconnect(receiver)
    del receiver
    return reference(), d.send(signal, ANYONE)


@parity()
def test_finalizer_may_connect_and_disconnect(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    heir, rival = calls.receiver("heir"), calls.receiver("rival")
    signal.connect(rival)

    class Mortal:
        def hear(self, **named: Any) -> None: ...

        def __del__(self) -> None:
            signal.connect(heir)
            signal.disconnect(rival)

    mortal = Mortal()
    signal.connect(mortal.hear)
    d.send(signal, ANYONE)
    before = calls.names()
    del mortal
    d.send(signal, ANYONE)
    return before, calls.names(), len(signal.receivers)


@parity()
def test_signal_itself_dies_with_its_receivers_connected(d: Dispatcher) -> Any:
    receiver = Calls().receiver("r")
    signal = d.make()
    signal.connect(receiver)
    signal.connect(receiver, sender=ANYONE)
    d.send(signal, ANYONE)
    del signal
    gc.collect()
    responses = receiver(None, ANYONE)
    del receiver
    gc.collect()
    return responses


@parity()
def test_finalizer_may_use_a_signal_that_is_collected_with_it(d: Dispatcher) -> Any:
    calls = Calls()
    heir = calls.receiver("heir")
    done: list[Any] = []

    class Owner:
        def __init__(self) -> None:
            self.changed = d.make()
            self.changed.connect(self.hear)
            self.me = self

        def hear(self, **named: Any) -> None: ...

        def __del__(self) -> None:
            self.changed.disconnect(self.hear)
            self.changed.connect(heir)
            done.append(len(self.changed.send(ANYONE)))
            done.append(len(self.changed.send_robust(ANYONE)))
            done.append(self.changed.has_listeners(ANYONE))
            done.append(len(self.changed.receivers))
            done.append(self.changed.disconnect(heir))

    owner = Owner()
    d.send(owner.changed, ANYONE)
    del owner
    gc.collect()
    return done, calls.names()


@parity()
def test_one_dead_receiver_among_many_leaves_the_order(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = {name: calls.receiver(name) for name in "abcdefghij"}
    for receiver in kept.values():
        signal.connect(receiver)
    del receiver
    outcome = []
    for dead in "adj":
        del kept[dead]
        d.send(signal, ANYONE)
        outcome.append("".join(calls.names()))
    late = calls.receiver("k")
    signal.connect(late)
    d.send(signal, ANYONE)
    return outcome, "".join(calls.names())
