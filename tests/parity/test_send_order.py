"""Which receivers a send calls, in which order, and where it ends."""

from __future__ import annotations

from typing import Any

from tests.parity.compare import parity
from tests.parity.dispatchers import ADOPTED, PLAIN, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, answers, connected_in_turn, raised


@parity()
def test_receivers_of_one_sender_and_of_any_in_order_of_connection(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    one, other = Sender("one"), Sender("other")
    kept = [calls.receiver(name) for name in "abcdef"]
    for receiver, sender in zip(kept, (one, None, other, one, None, other), strict=True):
        signal.connect(receiver, sender=sender)
    for sender in (one, other, ANYONE):
        d.send(signal, sender)
    return calls.names()


@parity(PLAIN)
def test_send_from_none_reaches_those_who_listen_to_any_sender(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.receiver(name) for name in "ab"]
    signal.connect(kept[0])
    signal.connect(kept[1], sender=ANYONE)
    d.send(signal, None, a=1)
    d.send_robust(signal, None, a=1)
    return list(calls)


@parity()
def test_sync_receivers_run_before_async_ones(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = connected_in_turn(signal, calls)
    responses = signal.send(ANYONE, a=1)
    order = [kept.index(receiver) for receiver, _ in responses]
    robust = signal.send_robust(ANYONE, a=1)
    return list(calls), order, answers(responses), [kept.index(receiver) for receiver, _ in robust]


@parity()
def test_first_exception_ends_the_send(d: Dispatcher) -> Any:
    outcome = []
    for error in (
        ValueError("no"),
        StopIteration("stop"),
        KeyboardInterrupt("c"),
        GeneratorExit("x"),
    ):
        calls = Calls()
        signal = d.make()
        kept = [
            calls.async_receiver("async"),
            calls.receiver("first"),
            calls.receiver("second", raises=error),
            calls.receiver("third"),
        ]
        for receiver in kept:
            signal.connect(receiver)
        failure = raised(lambda signal=signal: signal.send(ANYONE, a=1))
        outcome.append((failure, calls.names()))
    return outcome


@parity()
def test_exception_is_the_receivers_own_object(d: Dispatcher) -> Any:
    signal = d.make()
    error = ValueError("no")
    receiver = Calls().receiver("r", raises=error)
    signal.connect(receiver)
    caught = []
    for _ in range(d.repeat):
        try:
            signal.send(ANYONE)
        except ValueError as failure:
            caught.append((failure is error, failure.__context__, failure.__cause__))
    return caught


@parity()
def test_signal_works_after_a_failing_send(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    failing = calls.receiver("failing", raises=ValueError("no"))
    signal.connect(failing)
    failure = raised(lambda: d.send(signal, ANYONE))
    other = calls.receiver("other")
    signal.connect(other)
    signal.disconnect(failing)
    calls.clear()
    d.send(signal, ANYONE)
    return failure, calls.names(), signal.lock.acquire(blocking=False), signal.lock.release()


@parity(ADOPTED)
def test_receiver_without_kwargs_gets_what_it_names_or_fails(d: Dispatcher) -> Any:
    def exact(signal: Any, sender: Any, a: Any) -> Any:
        return a

    def keyword_only(*, signal: Any, sender: Any, a: Any = "default") -> Any:
        return a

    def too_few(signal: Any, sender: Any) -> None: ...

    def positional_only(sender: Any, /, **named: Any) -> None: ...

    outcome = []
    for receiver in (exact, keyword_only, too_few, positional_only):
        signal = d.make()
        signal.connect(receiver)
        for payload in ({"a": 1}, {}, {"a": 1, "b": 2}):
            outcome.append(raised(lambda: d.send(signal, ANYONE, **payload)))  # noqa: B023
    return outcome


@parity()
def test_receiver_that_misses_a_name_fails(d: Dispatcher) -> Any:
    def needs(sender: Any, needed: Any, **named: Any) -> Any:
        return needed

    signal = d.make()
    signal.connect(needs)
    failure = raised(lambda: d.send(signal, ANYONE, a=1))
    return failure, answers(d.send(signal, ANYONE, needed=2, a=1))


@parity()
def test_defaults_of_a_receiver_hold_for_what_is_not_sent(d: Dispatcher) -> Any:
    def receive(
        sender: Any, a: Any = "default a", *rest: Any, b: Any = "default b", **named: Any
    ) -> Any:
        return a, rest, b, sorted(named)

    signal = d.make()
    signal.connect(receive)
    return [
        answers(d.send(signal, ANYONE, **p)) for p in ({}, {"a": 1}, {"b": 2}, {"c": 3, "b": 4})
    ]


@parity()
def test_many_receivers(d: Dispatcher) -> Any:
    for count in (1, 2, 3, 4, 5, 6, 10, 100):
        calls = Calls()
        signal = d.make()
        kept = [calls.receiver(str(index)) for index in range(count)]
        for receiver in kept:
            signal.connect(receiver)
        responses = d.send(signal, ANYONE, a=1)
        assert [receiver for receiver, _ in responses] == kept
        assert calls.names() == [str(index) for index in range(count)] * d.repeat
    return count


@parity()
def test_uncallable_attribute_on_the_instance_does_not_matter(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    signal.note = "set by a third party"
    receiver = calls.receiver("r")
    signal.connect(receiver)
    d.send(signal, ANYONE)
    del signal.note
    d.send(signal, ANYONE)
    return calls.names(), hasattr(signal, "note")
