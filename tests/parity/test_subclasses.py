"""Subclasses that override the public methods, as third parties write them."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.parity.compare import differs, parity
from tests.parity.dispatchers import ADOPTED, PLAIN, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, answers, ignore, logged, raised_builtin


@parity()
def test_constructor_with_arguments_of_its_own(d: Dispatcher) -> Any:
    class Named(d.Signal):  # type: ignore[misc, name-defined]
        def __init__(self, label: str, *args: Any, **kwargs: Any) -> None:
            self.label = label
            super().__init__(*args, **kwargs)

    calls = Calls()
    signal = Named("label", use_caching=d.caching)
    receiver = calls.receiver("r")
    signal.connect(receiver)
    d.send(signal, ANYONE)
    return signal.label, signal.use_caching, calls.names(), isinstance(signal, d.Signal)


@differs(
    django=["AttributeError"] * 3,
    ours=[None] * 3,
    subjects=ADOPTED,
)
def test_constructor_that_forgets_super_does_no_harm_where_django_fails_at_first_use(
    d: Dispatcher,
) -> Any:
    class Forgetful(d.Signal):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.label = "forgetful"

    signal = Forgetful()
    return [
        raised_builtin(lambda: signal.connect(ignore)),
        raised_builtin(lambda: signal.send(ANYONE)),
        raised_builtin(lambda: signal.receivers),
    ]


@parity()
def test_attributes_set_in_place_of_the_constructors(d: Dispatcher) -> Any:
    calls = Calls()

    class Handmade(d.Signal):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(d.caching)
            self.receivers = []
            self.sender_receivers_cache = type(self.sender_receivers_cache)()

    signal = Handmade()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    d.send(signal, ANYONE)
    return calls.names()


@parity()
def test_connect_that_adds_to_its_arguments(d: Dispatcher) -> Any:
    calls = Calls()

    class Scoped(d.Signal):  # type: ignore[misc, name-defined]
        def connect(self, receiver: Any, scope: Any = None, **kwargs: Any) -> str:
            super().connect(receiver, sender=scope, **kwargs)
            return "connected"

        def disconnect(self, receiver: Any = None, scope: Any = None, **kwargs: Any) -> Any:
            return ("disconnected", super().disconnect(receiver, sender=scope, **kwargs))

    signal = Scoped(use_caching=d.caching)
    one, other = Sender("one"), Sender("other")
    receiver = calls.receiver("r")
    result = signal.connect(receiver, scope=one)
    decorated = d.receiver(signal, scope=other, dispatch_uid="uid")(receiver)
    for sender in (one, other, ANYONE):
        d.send(signal, sender)
    gone = [signal.disconnect(receiver, scope=one), signal.disconnect(receiver)]
    return result, decorated is receiver, calls.names(), gone


@parity(PLAIN)
def test_sends_that_pass_on_sender_none(d: Dispatcher) -> Any:
    calls = Calls()

    class Event(d.Signal):  # type: ignore[misc, name-defined]
        def send_event(self, **named: Any) -> Any:
            return super().send(sender=None, **named)

        def send(self, sender: Any, **named: Any) -> Any:
            raise NotImplementedError

        def send_robust(self, sender: Any, **named: Any) -> Any:
            return super().send_robust(sender=None, origin=sender, **named)

    signal = Event()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    for _ in range(d.repeat):
        signal.send_event(a=1)
        signal.send_robust(7, b=2)
    return list(calls), raised_builtin(lambda: signal.send(None))


@parity()
def test_send_that_does_its_own_loop(d: Dispatcher) -> Any:
    """As pretix: the cache and `_live_receivers` are used from outside."""
    calls = Calls()

    class Plugin(d.Signal):  # type: ignore[misc, name-defined]
        def send(self, sender: Any, **named: Any) -> Any:
            responses: list[Any] = []
            if (
                not self.receivers
                or self.sender_receivers_cache.get(sender) is d.module.NO_RECEIVERS
            ):
                return responses
            for receiver in self._live_receivers(sender)[0]:
                responses.append((receiver, receiver(signal=self, sender=sender, **named)))
            return responses

        def send_chained(self, sender: Any, chain: str, **named: Any) -> Any:
            if (
                not self.receivers
                or self.sender_receivers_cache.get(sender) is d.module.NO_RECEIVERS
            ):
                return named[chain]
            for receiver in self._live_receivers(sender)[0]:
                named[chain] = receiver(signal=self, sender=sender, **named)
            return named[chain]

    signal = Plugin(use_caching=d.caching)
    other = Sender("other")
    outcome = [signal.send_chained(ANYONE, "x", x=0)]
    receiver = calls.receiver("r")
    signal.connect(receiver, sender=ANYONE)
    outcome += [answers(d.send(signal, ANYONE)), answers(d.send(signal, other))]
    outcome += [signal.send_chained(ANYONE, "x", x=0), signal.send_chained(other, "x", x=0)]
    late = calls.receiver("late")
    signal.connect(late)
    return [*outcome, answers(d.send(signal, other)), signal.send_chained(other, "x", x=0)]


@parity()
def test_has_listeners_override_does_not_change_sends(d: Dispatcher) -> Any:
    calls = Calls()

    class Deaf(d.Signal):  # type: ignore[misc, name-defined]
        def has_listeners(self, sender: Any = None) -> bool:
            return False

    signal = Deaf(use_caching=d.caching)
    receiver = calls.receiver("r")
    signal.connect(receiver)
    d.send(signal, ANYONE)
    asyncio.run(signal.asend(ANYONE))
    return calls.names(), signal.has_listeners(ANYONE)


@parity()
def test_send_and_send_robust_do_not_call_each_other(d: Dispatcher) -> Any:
    calls = Calls()

    class Counting(d.Signal):  # type: ignore[misc, name-defined]
        def send(self, sender: Any, **named: Any) -> Any:
            calls.append(("send",))
            return super().send(sender, **named)

        def send_robust(self, sender: Any, **named: Any) -> Any:
            calls.append(("send_robust",))
            return super().send_robust(sender, **named)

        async def asend(self, sender: Any, **named: Any) -> Any:
            calls.append(("asend",))
            return await super().asend(sender, **named)

        async def asend_robust(self, sender: Any, **named: Any) -> Any:
            calls.append(("asend_robust",))
            return await super().asend_robust(sender, **named)

    signal = Counting(use_caching=d.caching)
    kept = [calls.receiver("sync"), calls.async_receiver("async")]
    for receiver in kept:
        signal.connect(receiver)
    with logged():
        outcome = [answers(signal.send(ANYONE)), answers(signal.send_robust(ANYONE))]
        outcome += [answers(asyncio.run(s(ANYONE))) for s in (signal.asend, signal.asend_robust)]
    # Sync or async first, in asend: before 6.1 Django overlaps them.
    return outcome, sorted(call[0] for call in calls)


@parity()
def test_subclass_of_a_subclass_and_mixins(d: Dispatcher) -> Any:
    calls = Calls()

    class Loud:
        def send(self, sender: Any, **named: Any) -> Any:
            return super().send(sender, loud=True, **named)  # type: ignore[misc]

    class Base(d.Signal):  # type: ignore[misc, name-defined]
        pass

    class Signal(Loud, Base):
        pass

    signal = Signal(use_caching=d.caching)
    receiver = calls.receiver("r")
    signal.connect(receiver)
    d.send(signal, ANYONE, a=1)
    return list(calls), Signal.__mro__.index(d.Signal)


@parity()
def test_subclass_with_an_equality_of_its_own(d: Dispatcher) -> Any:
    calls = Calls()

    class Equal(d.Signal):  # type: ignore[misc, name-defined]
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Equal)

        def __hash__(self) -> int:
            return 7

        def __bool__(self) -> bool:
            return False

    one, two = Equal(use_caching=d.caching), Equal(use_caching=d.caching)
    first, second = calls.receiver("first"), calls.receiver("second")
    one.connect(first)
    two.connect(second)
    d.send(one, ANYONE)
    d.send(two, ANYONE)
    return calls.names(), len({one, two})


@parity()
def test_method_of_the_class_used_as_a_function(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    d.Signal.connect(signal, receiver)
    d.Signal.send(signal, ANYONE, a=1)
    d.Signal.send(signal, sender=ANYONE, a=1)
    send = signal.send
    send(ANYONE, a=2)
    listening = d.Signal.has_listeners(signal, ANYONE)
    return list(calls), listening, d.Signal.disconnect(signal, receiver)


@parity()
def test_send_replaced_on_the_instance(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    original = signal.send

    def send(sender: Any, **named: Any) -> Any:
        return original(sender, extra=1, **named)

    signal.send = send
    d.send(signal, ANYONE)
    del signal.send
    d.send(signal, ANYONE)
    return list(calls)
