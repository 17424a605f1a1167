"""What connecting does: keys, uids, duplicates, senders, strength, and the checks under DEBUG."""

from __future__ import annotations

from typing import Any
from unittest import mock

from tests.parity.compare import differs, parity
from tests.parity.dispatchers import ADOPTED, PLAIN, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, ignore, raised


@parity()
def test_connect_returns_none(d: Dispatcher) -> Any:
    return [d.make().connect(ignore)]


@parity()
def test_receivers_run_in_the_order_of_connection(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.receiver(name) for name in "dacbfe"]
    for receiver in kept:
        signal.connect(receiver)
    d.send(signal, ANYONE)
    signal.disconnect(kept[1])
    signal.connect(kept[1])
    d.send(signal, ANYONE)
    return calls.names()


@parity()
def test_a_receiver_connected_twice_runs_once_and_keeps_its_place(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    first, second = calls.receiver("first"), calls.receiver("second")
    for receiver in (first, second, first, first):
        signal.connect(receiver)
    d.send(signal, ANYONE)
    return calls.names(), len(signal.receivers)


@parity()
def test_one_receiver_for_any_and_for_one_sender_runs_twice(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    sender, other = Sender("one"), Sender("other")
    receiver = calls.receiver("r")
    signal.connect(receiver)
    signal.connect(receiver, sender=sender)
    outcome = []
    for each in (sender, other):
        responses = d.send(signal, each)
        outcome.append((len(responses), calls.names()))
    return outcome, len(signal.receivers)


@parity()
def test_duplicate_that_differs_in_strength_is_ignored(d: Dispatcher) -> Any:
    calls = Calls()
    outcome = []
    for first in (True, False):
        signal = d.make()
        receiver = calls.receiver("r")
        signal.connect(receiver, weak=first)
        signal.connect(receiver, weak=not first)
        d.send(signal, ANYONE)
        called = calls.names()
        del receiver
        outcome.append((called, signal.has_listeners(ANYONE), len(signal.receivers)))
    return outcome


@parity(PLAIN)
def test_senders_are_matched_by_identity(d: Dispatcher) -> Any:
    # On a caching signal Django lets equal senders share a cache entry: see test_fixed.
    class Equal:
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 1

        def __str__(self) -> str:
            return "equal"

    calls = Calls()
    signal = d.make()
    one, two = Equal(), Equal()
    receiver = calls.receiver("r")
    signal.connect(receiver, sender=one)
    outcome = [len(d.send(signal, sender)) for sender in (one, two, None, object())]
    text = "".join(["a", "b"])
    signal.connect(receiver, sender=text)
    outcome += [len(d.send(signal, sender)) for sender in (text, "".join(["a", "b"]))]
    return outcome, calls.names()


@parity(PLAIN)
def test_sender_that_cannot_be_weakly_referenced(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    big = 10**20
    for sender in ("text", big, (1, 2), True):
        signal.connect(receiver, sender=sender)
    outcome = [len(d.send(signal, sender)) for sender in ("text", big, True, False, None)]
    return outcome, calls.names(), [signal.disconnect(receiver, sender=s) for s in ("text", big, 0)]


@parity()
def test_sender_may_be_a_bound_method(d: Dispatcher) -> Any:
    class Shop:
        def __str__(self) -> str:
            return "shop"

        def open(self) -> None: ...

        def close(self) -> None: ...

    calls = Calls()
    signal = d.make()
    shop, other = Shop(), Shop()
    opening, closing = shop.open, shop.close
    receiver = calls.receiver("r")
    signal.connect(receiver, sender=opening)
    # Each `shop.open` is a new object, with the same key.
    senders = [shop.open, opening, closing, other.open]
    outcome = [len(d.send(signal, sender)) for sender in senders]
    return (
        outcome,
        [signal.has_listeners(each) for each in senders],
        signal.disconnect(receiver, shop.open),
    )


@parity(ADOPTED)
def test_patched_make_id_decides_the_keys(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    one, two = Sender("one"), Sender("two")
    kept = [calls.receiver(name) for name in ("first", "second", "third")]
    with mock.patch.object(d.module, "_make_id", lambda target: f"id of {target}"[:9]):
        for receiver in kept[:2]:
            signal.connect(receiver, sender=one)
        signal.connect(kept[2], dispatch_uid="uid")
        d.refresh(signal)
        outcome = [len(d.send(signal, sender)) for sender in (one, two)]
        keys = [entry[0] for entry in signal.receivers]
        gone = signal.disconnect(kept[0], sender=one)
    return outcome, keys, gone, calls.names()


@differs(django=1, ours=0, subjects=ADOPTED)
def test_patched_make_id_cannot_make_one_living_sender_another(d: Dispatcher) -> Any:
    signal = d.make()
    one, two = Sender("one"), Sender("two")
    receiver = Calls().receiver("r")
    with mock.patch.object(d.module, "_make_id", return_value=7):
        signal.connect(receiver, sender=one)
        return len(signal.send(two))


@parity(ADOPTED)  # ours need not import weakref for it
def test_weak_connect_calls_weakref_ref(d: Dispatcher) -> Any:
    import weakref

    outcome = []
    for weak in (True, False):
        signal = d.make()
        with mock.patch("weakref.ref", wraps=weakref.ref) as ref:
            signal.connect(ignore, sender=None, weak=weak)
        outcome.append((ref.called, [call.args[0] is ignore for call in ref.call_args_list[:1]]))
    return outcome


@parity()
def test_receiver_that_cannot_be_weakly_referenced(d: Dispatcher) -> Any:
    class Slotted:
        __slots__ = ()

        def __call__(self, **named: Any) -> str:
            return "called"

        def method(self, **named: Any) -> str:
            return "method called"

    signal = d.make()
    slotted = Slotted()
    failures = [
        raised(lambda: signal.connect(slotted)),
        raised(lambda: signal.connect(slotted.method)),
    ]
    before = list(signal.receivers)
    signal.connect(slotted, weak=False)
    signal.connect(slotted.method, weak=False)
    return failures, before, [answer for _, answer in d.send(signal, ANYONE)]


@parity()
def test_connect_and_disconnect_take_the_lock_that_is_there(d: Dispatcher) -> Any:
    signal = d.make()
    signal.has_listeners(ANYONE)  # a signal that was made before the adoption is taken over
    lock = mock.MagicMock()
    signal.lock = lock
    outcome = []
    for change in (signal.connect, signal.disconnect):
        change(ignore)
        outcome.append((lock.__enter__.called, lock.__exit__.called))
        lock.reset_mock()
    return outcome
