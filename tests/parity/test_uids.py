"""`dispatch_uid`: what is the same one, whose it is, and what it may be."""

from __future__ import annotations

from typing import Any

from tests.parity.compare import differs, parity
from tests.parity.dispatchers import Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, ignore, raised


@parity()
def test_first_connection_with_a_uid_stays(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    first, second = calls.receiver("first"), calls.receiver("second")
    signal.connect(first, dispatch_uid="uid")
    signal.connect(second, dispatch_uid="uid")
    signal.connect(second, weak=False, dispatch_uid="uid")
    d.send(signal, ANYONE)
    return calls.names(), len(signal.receivers)


@parity()
def test_one_receiver_with_two_uids_runs_twice(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    for uid in ("one", "two", None, "one"):
        signal.connect(receiver, dispatch_uid=uid)
    d.send(signal, ANYONE)
    return calls.names(), [entry[0][0] == "one" for entry in signal.receivers]


@parity()
def test_uid_belongs_to_its_sender(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    one, two = Sender("one"), Sender("two")
    receiver = calls.receiver("r")
    for sender in (one, two, None, one):
        signal.connect(receiver, sender=sender, dispatch_uid="uid")
    for sender in (one, two, Sender("three")):
        d.send(signal, sender)
    return calls.names(), len(signal.receivers)


@parity()
def test_falsy_uid_means_none(d: Dispatcher) -> Any:
    calls = Calls()
    outcome = []
    for uid in ("", 0, None, False, 0.0, (), [], {}):
        signal = d.make()
        first, second = calls.receiver("first"), calls.receiver("second")
        signal.connect(first, dispatch_uid=uid)
        signal.connect(second, dispatch_uid=uid)
        signal.connect(second)
        d.send(signal, ANYONE)
        outcome.append(
            (calls.names(), signal.disconnect(second), signal.disconnect(dispatch_uid=uid))
        )
    return outcome


@parity()
def test_uid_needs_no_hash(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    first, second, third = (calls.receiver(name) for name in ("first", "second", "third"))
    signal.connect(first, dispatch_uid=[1])
    signal.connect(second, dispatch_uid=[1])
    signal.connect(third, dispatch_uid={"a": [2]})
    d.send(signal, ANYONE)
    return (
        calls.names(),
        signal.disconnect(dispatch_uid=[2]),
        signal.disconnect(dispatch_uid=[1]),
        signal.disconnect(dispatch_uid=[1]),
        signal.disconnect(dispatch_uid={"a": [2]}),
        signal.receivers,
    )


@parity()
def test_uids_are_compared_by_equality(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.receiver(name) for name in "abcd"]
    for receiver, uid in zip(kept, (1, 1.0, True, "1"), strict=True):
        signal.connect(receiver, dispatch_uid=uid)
    d.send(signal, ANYONE)
    return calls.names(), [signal.disconnect(dispatch_uid=uid) for uid in (True, 1, "1")]


class Whatever:
    """Equal to everything, whatever the hash."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 12345


@differs(django=[True, False], ours=[False, True])
def test_uid_whose_hash_belies_its_equality_is_another_one_where_django_compares_only(
    d: Dispatcher,
) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    signal.connect(receiver, dispatch_uid="uid")
    return [signal.disconnect(dispatch_uid=Whatever()), signal.disconnect(dispatch_uid="uid")]


@parity()
def test_uid_may_change_after_it_was_given(d: Dispatcher) -> Any:
    signal = d.make()
    uid = [1]
    signal.connect(ignore, dispatch_uid=uid)
    uid.append(2)
    return signal.disconnect(dispatch_uid=[1]), signal.disconnect(dispatch_uid=[1, 2])


@parity()
def test_uid_equal_to_a_receivers_id_is_that_receivers_key(d: Dispatcher) -> Any:
    class Listener:
        def hear(self, **named: Any) -> None: ...

    calls = Calls()
    signal = d.make()
    first, second, listener = calls.receiver("first"), calls.receiver("second"), Listener()
    signal.connect(first, dispatch_uid=id(second))
    signal.connect(second)
    signal.connect(first, dispatch_uid=(id(listener), id(Listener.hear)))
    signal.connect(listener.hear)
    return len(signal.receivers), signal.disconnect(second), signal.disconnect(listener.hear)


@parity()
def test_a_uid_that_fails_to_compare_leaves_the_signal_usable(d: Dispatcher) -> Any:
    class Sulky:
        def __eq__(self, other: object) -> bool:
            raise LookupError("not today")

        __hash__ = None  # type: ignore[assignment]

    calls = Calls()
    signal = d.make()
    first, second = calls.receiver("first"), calls.receiver("second")
    signal.connect(first, dispatch_uid=Sulky())
    failure = raised(lambda: signal.connect(second, dispatch_uid=Sulky()))
    d.send(signal, ANYONE)
    return failure, signal.lock.acquire(blocking=False), signal.lock.release(), calls.names()
