"""What a send passes, calls, returns and raises."""

from __future__ import annotations

from typing import Any

from tests.parity.compare import parity
from tests.parity.dispatchers import Dispatcher
from tests.parity.observe import ANYONE, Calls, answers, raised, raised_builtin


@parity()
def test_send_without_receivers_returns_a_fresh_empty_list(d: Dispatcher) -> Any:
    signal = d.make()
    one, other = d.send(signal, ANYONE, a=1), d.send(signal, ANYONE)
    one.append("changed by the caller")
    return one, other, d.send(signal, ANYONE), d.send_robust(signal, ANYONE)


@parity()
def test_response_pairs_name_the_receivers_themselves(d: Dispatcher) -> Any:
    signal = d.make()
    kept = [Calls().receiver(name) for name in "abc"]
    for receiver in kept:
        signal.connect(receiver)
    responses = d.send(signal, ANYONE)
    return (
        type(responses),
        {type(pair) for pair in responses},
        [pair[0] is receiver for pair, receiver in zip(responses, kept, strict=True)],
        answers(responses),
        d.send(signal, ANYONE) is responses,
    )


@parity()
def test_receiver_gets_signal_sender_and_payload_in_this_order(d: Dispatcher) -> Any:
    signal = d.make()
    got: list[Any] = []

    def receive(**named: Any) -> None:
        got.append(
            (named.pop("signal") is signal, named.pop("sender") is ANYONE, list(named.items()))
        )

    def order(**named: Any) -> None:
        got.append(list(named))

    signal.connect(receive)
    signal.connect(order)
    d.send(signal, ANYONE, b=1, a=[2], c=None)
    return got


@parity()
def test_order_of_the_payload_is_the_senders(d: Dispatcher) -> Any:
    signal = d.make()
    orders = []

    def receive(**named: Any) -> None:
        orders.append("".join(name[0] for name in named))

    signal.connect(receive)
    for _ in range(d.repeat):
        signal.send(ANYONE, a=1, b=2, c=3)
        signal.send(ANYONE, c=1, b=2, a=3)
        signal.send(sender=ANYONE, b=1, a=2)
        signal.send_robust(ANYONE, c=1, a=2, b=3)
        signal.send(b=1, sender=ANYONE, a=2)
    return orders


@parity()
def test_each_receiver_gets_a_dict_of_its_own(d: Dispatcher) -> Any:
    signal = d.make()
    seen = []

    def spoil(**named: Any) -> None:
        named.clear()

    def receive(**named: Any) -> None:
        seen.append(sorted(named))

    signal.connect(spoil)
    signal.connect(receive)
    payload = {"a": 1, "b": 2}
    d.send(signal, ANYONE, **payload)
    return seen, payload


@parity()
def test_values_of_the_payload_are_passed_as_they_are(d: Dispatcher) -> Any:
    signal = d.make()
    value = ["mutable"]
    same = []

    def receive(a: Any, **named: Any) -> None:
        same.append(a is value)

    signal.connect(receive)
    d.send(signal, ANYONE, a=value)
    return same


@parity()
def test_names_that_are_no_identifiers(d: Dispatcher) -> Any:
    class Text(str):
        __slots__ = ()

    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    payload: dict[str, Any] = {
        "with space": 1,
        "class": 2,
        "": 3,
        "ünï": 4,
        "a'\"\\\n": 5,
        "__debug__": 6,
    }
    d.send(signal, ANYONE, **payload)
    d.send(signal, ANYONE, **{Text("text"): 1})
    return list(calls)


@parity()
def test_names_that_a_dispatcher_might_use_itself(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    names = (
        "receiver receivers response responses named plan run key ref args kwargs cls error name result "
        "weak uid priority func instance payload append list tuple dict print type r r0 s n a0 _ __class__"
    ).split()
    d.send(signal, ANYONE, **{name: index for index, name in enumerate(names)})
    for name in names:
        d.send(signal, ANYONE, **{name: name})
    return list(calls)


@parity()
def test_many_shapes_of_payload_on_one_signal(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    for index in range(300):
        d.send(signal, ANYONE, **{f"name_{index}": index, "same": 1})
    return list(calls)


@parity()
def test_payload_may_not_be_named_signal(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    silent = raised(lambda: d.send(signal, ANYONE, **{"signal": 1}))
    receiver = calls.receiver("r")
    signal.connect(receiver)
    failure = raised_builtin(lambda: d.send(signal, ANYONE, **{"signal": 1, "a": 2}))
    return silent, failure, calls
