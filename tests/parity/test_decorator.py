"""The `receiver` decorator."""

from __future__ import annotations

from typing import Any

from tests.parity.compare import differs, parity
from tests.parity.dispatchers import ADOPTED, OWN, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, ignore, raised_builtin


class Recording:
    """Anything with a `connect`: the decorator asks no more of a signal."""

    def __init__(self) -> None:
        self.connected: list[Any] = []

    def connect(self, receiver: Any, *args: Any, **kwargs: Any) -> str:
        self.connected.append((receiver.__name__, args, kwargs))
        return "ignored"


@parity()
def test_it_returns_the_function_itself(d: Dispatcher) -> Any:
    signal = d.make()

    def receive(**named: Any) -> str:
        return "received"

    decorated = d.receiver(signal)(receive)
    return decorated is receive, [answer for _, answer in d.send(signal, ANYONE)]


@parity()
def test_it_connects_to_each_of_a_list_or_tuple(d: Dispatcher) -> Any:
    outcome = []
    for kind in (list, tuple):
        calls = Calls()
        signals = [d.make(), d.make(), d.make()]
        receiver = calls.receiver("r")
        decorated = d.receiver(kind(signals[:2]), sender=ANYONE)(receiver)
        for signal in signals:
            d.send(signal, ANYONE)
        d.send(signals[0], Sender("other"))
        outcome.append((decorated is receiver, calls.names()))
    return outcome, d.receiver([])(ignore) is ignore


@parity()
def test_keywords_go_verbatim_to_connect(d: Dispatcher) -> Any:
    one, two = Recording(), Recording()

    def receive(**named: Any) -> None: ...

    d.receiver(one)(receive)
    d.receiver(one, sender="s", weak=False, dispatch_uid=[1], apps=3, anything="else")(receive)
    d.receiver([one, two], using="default")(receive)
    return one.connected, two.connected


@parity()
def test_it_can_be_stacked(d: Dispatcher) -> Any:
    calls = Calls()
    one, two = d.make(), d.make()
    sender, other = Sender("one"), Sender("other")

    @d.receiver(one, sender=sender)
    @d.receiver(two)
    @d.receiver(one, sender=other)
    def receive(signal: Any, sender: Any, **named: Any) -> None:
        calls.append((("one", "two")[signal is two], str(sender)))

    for signal in (one, two):
        for each in (sender, other, ANYONE):
            d.send(signal, each)
    return list(calls)


@parity()
def test_decorated_methods_of_a_class_body_stay_functions(d: Dispatcher) -> Any:
    signal = d.make()

    class Listener:
        @staticmethod
        @d.receiver(signal)
        def hear(**named: Any) -> str:
            return "heard"

    return [answer for _, answer in d.send(signal, ANYONE)], Listener.hear()


@parity()
def test_wrong_use_raises(d: Dispatcher) -> Any:
    signal = d.make()

    def receive(**named: Any) -> None: ...

    return [
        raised_builtin(lambda: d.receiver()(receive)),
        raised_builtin(lambda: d.receiver(signal, bogus=1)(receive)),
        signal.receivers,
    ]


@parity(ADOPTED)
def test_what_is_no_signal_is_an_attribute_error(d: Dispatcher) -> Any:
    def receive(**named: Any) -> None: ...

    return [
        raised_builtin(lambda x=x: d.receiver(x)(receive))
        for x in ({d.make()}, None, "signal", receive)
    ]


@differs(
    django=["AttributeError"] * 3,
    ours=["TypeError"] * 3,
    subjects=OWN,
)
def test_own_decorator_says_what_is_no_signal_where_django_misses_an_attribute(
    d: Dispatcher,
) -> Any:
    def receive(**named: Any) -> None: ...

    return [
        raised_builtin(lambda x=x: d.receiver(x)(receive)) for x in ({d.make()}, None, "signal")
    ]


@parity()
def test_temporary_function_dies_although_it_was_decorated(d: Dispatcher) -> Any:
    signal = d.make()
    d.receiver(signal)(lambda **named: None)
    return signal.has_listeners(ANYONE), d.send(signal, ANYONE)


@parity()
def test_async_function_is_returned_and_awaited(d: Dispatcher) -> Any:
    signal = d.make()

    @d.receiver(signal)
    async def receive(**named: Any) -> str:
        return "received"

    return [answer for _, answer in signal.send(ANYONE)]
