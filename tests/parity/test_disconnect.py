"""What disconnecting and asking for listeners does, and changes while a send is under way."""

from __future__ import annotations

from typing import Any

from tests.parity.compare import parity
from tests.parity.dispatchers import PLAIN, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender


@parity()
def test_disconnect_says_whether_it_did(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    outcome = [signal.disconnect(receiver), signal.disconnect()]
    signal.connect(receiver)
    outcome += [signal.disconnect(receiver), signal.disconnect(receiver)]
    return outcome, [type(each) for each in outcome], d.send(signal, ANYONE)


@parity()
def test_disconnect_needs_the_key_of_the_connection(d: Dispatcher) -> Any:
    one, other = Sender("one"), Sender("other")
    receiver, stranger = Calls().receiver("r"), Calls().receiver("stranger")
    attempts: list[dict[str, Any]] = [
        {"receiver": receiver},
        {"receiver": receiver, "sender": one},
        {"receiver": receiver, "sender": other},
        {"dispatch_uid": "uid"},
        {"dispatch_uid": "another"},
        {"receiver": receiver, "dispatch_uid": "uid"},
        {"receiver": stranger, "dispatch_uid": "uid"},
        {"dispatch_uid": "uid", "sender": one},
        {"receiver": stranger, "dispatch_uid": "uid", "sender": one},
        {"sender": one},
        {},
    ]
    outcome = []
    for connection in (
        {},
        {"sender": one},
        {"dispatch_uid": "uid"},
        {"sender": one, "dispatch_uid": "uid"},
        {"dispatch_uid": ""},
    ):
        for attempt in attempts:
            signal = d.make()
            signal.connect(receiver, **connection)  # type: ignore[arg-type]
            outcome.append((signal.disconnect(**attempt), len(d.send(signal, one))))
    return outcome


@parity()
def test_disconnect_removes_one_connection_of_several(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    one = Sender("one")
    receiver = calls.receiver("r")
    signal.connect(receiver)
    signal.connect(receiver, sender=one)
    signal.connect(receiver, dispatch_uid="uid")
    outcome = []
    for attempt in (
        {"receiver": receiver},
        {"dispatch_uid": "uid"},
        {"receiver": receiver, "sender": one},
    ):
        signal.disconnect(**attempt)  # type: ignore[arg-type]
        d.send(signal, one)
        d.send(signal, ANYONE)
        outcome.append(calls.names())
    return outcome


@parity()
def test_disconnected_sender_leaves_the_others(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    senders = [Sender(name) for name in "abc"]
    receivers = [calls.receiver(f"for {sender}") for sender in senders]
    for receiver, sender in zip(receivers, senders, strict=True):
        signal.connect(receiver, sender=sender)
        d.send(signal, sender)
    signal.disconnect(receivers[1], sender=senders[1])
    calls.clear()
    for sender in senders:
        d.send(signal, sender)
    return calls.names(), [signal.has_listeners(sender) for sender in senders]


@parity()
def test_has_listeners_for_a_sender_and_for_any(d: Dispatcher) -> Any:
    signal = d.make()
    one, other = Sender("one"), Sender("other")
    first, second = Calls().receiver("first"), Calls().receiver("second")
    outcome = [signal.has_listeners(one)]
    signal.connect(first, sender=one)
    outcome += [signal.has_listeners(one), signal.has_listeners(other)]
    signal.connect(second)
    outcome += [signal.has_listeners(one), signal.has_listeners(sender=other)]
    signal.disconnect(second)
    outcome += [signal.has_listeners(one), signal.has_listeners(other)]
    del first
    outcome += [signal.has_listeners(one), signal.has_listeners(other)]
    return outcome, [type(each) for each in outcome], len(signal.receivers)


@parity(PLAIN)
def test_has_listeners_without_a_sender_means_any_sender(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    outcome = [signal.has_listeners(), signal.has_listeners(None)]
    signal.connect(receiver, sender=ANYONE)
    outcome += [signal.has_listeners(), signal.has_listeners(None)]
    signal.connect(receiver)
    return [*outcome, signal.has_listeners(), signal.has_listeners(None)]


@parity()
def test_async_receiver_is_a_listener(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().async_receiver("r")
    signal.connect(receiver, sender=ANYONE)
    return signal.has_listeners(ANYONE), signal.has_listeners(Sender("other"))


@parity()
def test_receiver_disconnected_during_a_send_still_runs_in_it(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    second = calls.receiver("second")
    first = calls.receiver("first", then=lambda signal: signal.disconnect(second))
    signal.connect(first)
    signal.connect(second)
    d.send(signal, ANYONE)
    during = calls.names()
    d.send(signal, ANYONE)
    return during[:3], calls.names()


@parity()
def test_receiver_connected_during_a_send_runs_from_the_next(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    second = calls.receiver("second")
    first = calls.receiver("first", then=lambda signal: signal.connect(second))
    signal.connect(first)
    signal.send(ANYONE)
    during = calls.names()
    d.send(signal, ANYONE)
    return during, calls.names()


@parity()
def test_receiver_that_disconnects_itself_runs_once(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    others = [calls.receiver("before"), calls.receiver("after")]

    def once(signal: Any, **named: Any) -> bool:
        calls.append(("once",))
        return bool(signal.disconnect(once))

    for receiver in (others[0], once, others[1]):
        signal.connect(receiver)
    signal.send(ANYONE)
    d.send(signal, ANYONE)
    return calls.names()


@parity()
def test_list_emptied_during_a_send_takes_effect_in_the_next(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    first = calls.receiver("first", then=lambda signal: setattr(signal, "receivers", []))
    second = calls.receiver("second")
    signal.connect(first)
    signal.connect(second)
    signal.send(ANYONE)
    signal.send(ANYONE)
    return calls.names()


@parity()
def test_nested_sends_of_the_same_signal(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    depth = []

    def nest(signal: Any) -> None:
        if len(depth) < 3:
            depth.append(1)
            signal.send(ANYONE, depth=len(depth))

    first, second = calls.receiver("first", then=nest), calls.receiver("second")
    signal.connect(first)
    signal.connect(second)
    signal.send(ANYONE, depth=0)
    return list(calls)


@parity()
def test_nested_send_sees_the_changes_made_before_it(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    late = calls.receiver("late")
    second = calls.receiver("second")
    done = []

    def change(signal: Any) -> None:
        if not done:
            done.append(1)
            signal.disconnect(second)
            signal.connect(late)
            signal.send(ANYONE, nested=True)

    first = calls.receiver("first", then=change)
    signal.connect(first)
    signal.connect(second)
    signal.send(ANYONE, nested=False)
    return list(calls)
