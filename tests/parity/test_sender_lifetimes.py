"""Senders that die, and what dies while a send is under way."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from tests.parity.compare import parity, since
from tests.parity.dispatchers import PLAIN, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, ignore


@parity()
def test_signal_keeps_no_sender_alive(d: Dispatcher) -> Any:
    signal = d.make()
    sender = Sender("short-lived")
    receiver = Calls().receiver("r")
    signal.connect(receiver, sender=sender)
    signal.connect(receiver)
    d.send(signal, sender)
    d.send_robust(signal, sender)
    signal.has_listeners(sender)
    reference = weakref.ref(sender)
    del sender
    return reference(), signal.has_listeners(ANYONE)


@parity()
def test_cache_keeps_no_sender_alive(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    signal.connect(receiver)
    sender = Sender("never connected")
    d.send(signal, sender)
    reference = weakref.ref(sender)
    del sender
    return reference(), len(d.send(signal, ANYONE))


@since((6, 0), before=(1, [1, 1]), after=(1, [0, 0]))
def test_entries_of_a_dead_sender_are_dropped(d: Dispatcher) -> Any:
    signal = d.make()
    sender = Sender("short-lived")
    receiver = Calls().receiver("r")
    signal.connect(receiver, sender=sender)
    before = len(d.send(signal, sender))
    del sender
    after = []
    signal.has_listeners(ANYONE)
    after.append(len(signal.receivers))
    signal.connect(ignore)
    signal.disconnect(ignore)
    after.append(len(signal.receivers))
    return before, after


@since((6, 0), before=(True, [0, 1]), after=(True, [0, 0]))
def test_a_strong_receiver_goes_with_its_dead_sender(d: Dispatcher) -> Any:
    signal = d.make()
    sender = Sender("short-lived")
    receiver = Calls().receiver("r")
    signal.connect(receiver, sender=sender, weak=False)
    reference = weakref.ref(receiver)
    del receiver
    listening = signal.has_listeners(sender)
    del sender
    gone = [len(d.send(signal, ANYONE)), len(signal.receivers)]
    assert (reference() is None) == (not signal.receivers)
    return listening, gone


@parity(PLAIN)
def test_receivers_outlive_a_sender_that_cannot_be_weakly_referenced(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    signal.connect(receiver, sender=tuple("a tuple"))
    gc.collect()
    d.send(signal, ANYONE)
    return len(signal.receivers)


@parity()
def test_receiver_that_dies_during_a_send_by_another_still_runs(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = {}
    first = calls.receiver("first", then=lambda signal: kept.clear())
    kept["second"] = calls.receiver("second")
    signal.connect(first)
    signal.connect(kept["second"])
    signal.send(ANYONE)
    signal.send(ANYONE)
    return calls.names()


@parity()
def test_sender_that_dies_during_its_send(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    senders = [Sender("short-lived")]
    first = calls.receiver("first", then=lambda signal: senders.clear())
    second = calls.receiver("second")
    signal.connect(first, sender=senders[0])
    signal.connect(second, sender=senders[0])
    signal.send(senders[0])
    return calls.names(), signal.has_listeners(ANYONE)
