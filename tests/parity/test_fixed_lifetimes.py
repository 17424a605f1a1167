"""What Django gets wrong about receivers and senders that die, and ours gets right."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from tests.parity.compare import differs
from tests.parity.dispatchers import Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender


class Temporary:
    # Of a size that little else has, so that the next one gets the memory, and the id, of the last.
    __slots__ = ("__weakref__", *(f"padding_{number}" for number in range(40)))

    def hear(self, **named: Any) -> None: ...


@differs(
    django={(5, 2): ["kept"], (6, 0): ["kept"], (6, 1): []},
    ours=["kept"],
)
def test_temporary_with_a_uid_does_not_block_the_next_receiver_of_that_uid(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = calls.receiver("kept")
    signal.connect(Temporary().hear, dispatch_uid="x")
    signal.connect(kept, dispatch_uid="x")
    signal.send(ANYONE)
    return calls.names()


@differs(
    django={
        (5, 2): ["all", "all"],
        (6, 0): ["all", "all"],
        (6, 1): ["some", "all"],
    },
    ours=["all", "all"],
)
def test_no_receiver_is_lost_to_the_id_of_a_temporary_one(d: Dispatcher) -> Any:
    # Django 6.1 takes the second for connected already: it has the id of one that died while it was
    # being connected. Nearly always: another thread may have taken that place in memory.
    heard = []
    for others in (None, Sender("other")):
        signal = d.make()
        kept: list[Any] = []
        for _ in range(200):
            signal.connect(Temporary().hear, sender=others)
            survivor = Temporary()
            signal.connect(survivor.hear)
            kept.append(survivor)
        heard.append("all" if len(signal.send(ANYONE)) == 200 else "some")
    return heard


@differs(django=[1, 1], ours=[1, 1])
def test_receiver_kept_after_200_temporary_ones_is_called(d: Dispatcher) -> Any:
    signal = d.make()
    for _ in range(200):
        signal.connect(Temporary().hear)
    # Elsewhere in memory, so that Django doesn't take it for one of the dead.
    reserved = [Temporary() for _ in range(10)]
    signal.connect(reserved[-1].hear)
    called = len(signal.send(ANYONE))
    signal.has_listeners(ANYONE)
    return [called, len(signal._live_receivers(ANYONE)[0])]


@differs(
    django={(5, 2): True, (6, 0): True, (6, 1): False},
    ours=False,
)
def test_nothing_is_left_behind_by_a_disconnected_receiver(d: Dispatcher) -> Any:
    # Up to 6.0 each connection leaves a weakref.finalize, which keeps the signal alive.
    signal = d.make()

    class Host:
        def hear(self, **named: Any) -> None: ...

    host = Host()
    for _ in range(10):
        signal.connect(host.hear)
        signal.disconnect(host.hear)
    signal.send(ANYONE)
    reference = weakref.ref(signal)
    del signal
    gc.collect()
    return reference() is not None


@differs(
    django={
        (5, 2): "delivered to the wrong sender",
        (6, 0): "not delivered",
        (6, 1): "not delivered",
    },
    ours="not delivered",
)
def test_new_sender_with_the_id_of_a_dead_one_gets_none_of_its_receivers(d: Dispatcher) -> Any:
    for _ in range(100):
        calls = Calls()
        signal = d.make()
        receiver = calls.receiver("r")
        sender = Sender("dead")
        signal.connect(receiver, sender=sender)
        signal.send(sender)
        calls.clear()
        old = id(sender)
        del sender
        fresh = [Sender("new") for _ in range(50)]
        for candidate in fresh:
            if id(candidate) == old:
                signal.send(candidate)
                return "delivered to the wrong sender" if calls else "not delivered"
    return "the id wasn't reused"


@differs(
    django={(5, 2): ["new"], (6, 0): ["new"], (6, 1): ["new"]},
    ours=["new"],
)
def test_receiver_for_a_new_sender_with_the_id_of_a_dead_one_is_connected(d: Dispatcher) -> Any:
    for _ in range(100):
        calls = Calls()
        signal = d.make()
        receiver = calls.receiver("r")
        sender = Sender("dead")
        signal.connect(receiver, sender=sender)
        old = id(sender)
        del sender
        fresh = [Sender("new") for _ in range(50)]
        for candidate in fresh:
            if id(candidate) == old:
                signal.connect(receiver, sender=candidate)
                signal.send(candidate)
                return [str(sender) for _, sender, _ in calls]
    return "the id wasn't reused"
