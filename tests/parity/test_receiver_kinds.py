"""Everything that can be a receiver: how it is referenced, whether it counts as async."""

from __future__ import annotations

import functools
import weakref
from typing import Any
from unittest import mock

from tests.parity.compare import parity
from tests.parity.dispatchers import ADOPTED, DJANGO, OWN, Dispatcher
from tests.parity.kinds import Listener, free
from tests.parity.observe import ANYONE


class Child(Listener):
    pass


class Built:
    """A class that is itself the receiver: its instances are the responses."""

    def __init__(self, **named: Any) -> None:
        self.named = named

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Built) and sorted(other.named) == sorted(self.named)

    __hash__ = None  # type: ignore[assignment]


def every_kind() -> dict[str, Any]:
    """Fresh receivers of every sync kind, by name."""
    listener = Listener()
    return {
        "function": free,
        "local function": lambda **named: "lambda",
        "method": listener.hear,
        "classmethod": Listener.hear_class,
        "classmethod by instance": Child().hear_class,
        "staticmethod": Listener.hear_static,
        "callable object": listener,
        "partial": functools.partial(free),
        "partial of a method": functools.partial(listener.hear, extra=1),
        "class": Built,
        "mock": mock.Mock(return_value="mock", __qualname__="mock"),
        "builtin": dict,
        "method of a builtin": {}.update,
    }


def outlived(receiver: Any) -> bool:
    """Whether the receiver lives as long as this module does."""
    return receiver in (free, Listener.hear_class, Listener.hear_static, Built, dict)


@parity()
def test_each_kind_is_called_and_returned(d: Dispatcher) -> Any:
    outcome = {}
    for kind, receiver in every_kind().items():
        signal = d.make()
        signal.connect(receiver)
        [(returned, response)] = d.send(signal, ANYONE, a=1)
        if isinstance(response, dict):
            response = sorted(response)
        outcome[kind] = (returned == receiver, response, len(signal.receivers))
    return outcome


@parity()
def test_each_kind_is_disconnected_by_an_equal_receiver(d: Dispatcher) -> Any:
    outcome = {}
    for kind, receiver in every_kind().items():
        signal = d.make()
        signal.connect(receiver)
        again = getattr(receiver, "__self__", None)
        if again is not None and hasattr(receiver, "__func__"):
            receiver = getattr(again, receiver.__name__)
        outcome[kind] = [
            signal.disconnect(receiver),
            signal.disconnect(receiver),
            d.send(signal, ANYONE),
        ]
    return outcome


@parity()
def test_each_kind_dies_with_its_object_unless_strong(d: Dispatcher) -> Any:
    outcome = {}
    for weak in (True, False):
        kinds = every_kind()
        for kind in list(kinds):
            signal = d.make()
            receiver = kinds.pop(kind)
            signal.connect(receiver, weak=weak)
            d.send(signal, ANYONE)
            stays = outlived(receiver)
            owner = getattr(receiver, "__self__", None)
            del receiver, owner
            outcome[kind, weak] = (
                stays,
                signal.has_listeners(ANYONE),
                len(d.send(signal, ANYONE)),
                len(signal.receivers),
            )
    return outcome


@parity()
def test_type_of_the_reference_in_each_entry(d: Dispatcher) -> Any:
    outcome = {}
    for kind, receiver in every_kind().items():
        signal = d.make()
        signal.connect(receiver)
        strong = d.make()
        strong.connect(receiver, weak=False)
        weakly, strongly = signal.receivers[0][1], strong.receivers[0][1]
        outcome[kind] = (
            isinstance(weakly, weakref.ReferenceType),
            isinstance(weakly, weakref.WeakMethod),
            weakly() == receiver,
            strongly is receiver,
        )
    return outcome


def _key(target: Any) -> Any:
    return (id(target.__self__), id(target.__func__)) if hasattr(target, "__func__") else id(target)


@parity()
def test_keys_of_each_entry(d: Dispatcher) -> Any:
    outcome = {}
    for kind, receiver in every_kind().items():
        signal = d.make()
        signal.connect(receiver)
        signal.connect(receiver, sender=Listener)
        signal.connect(receiver, sender=Listener, dispatch_uid="uid")
        outcome[kind] = [
            entry[0] == key
            for entry, key in zip(
                signal.receivers,
                [
                    (_key(receiver), id(None)),
                    (_key(receiver), id(Listener)),
                    ("uid", id(Listener)),
                ],
                strict=True,
            )
        ]
    return outcome


@parity(ADOPTED)
def test_adopted_entries_have_the_shape_of_the_installed_django(d: Dispatcher) -> Any:
    async def later(**named: Any) -> None: ...

    sender = Listener()
    signal = d.make()
    signal.connect(free)
    signal.connect(free, sender=sender, weak=False)
    signal.connect(later, sender=sender)
    signal.connect(free, sender="not weakly referenceable")
    described = []
    for entry in signal.receivers:
        rest = [None if part is None else part() is sender for part in entry[2:-1]]
        described.append((isinstance(entry, tuple), len(entry), len(entry[0]), rest, entry[-1]))
    return described


def test_own_entries_always_have_the_four_parts_of_django_6() -> None:
    async def later(**named: Any) -> None: ...

    sender = Listener()
    for own in OWN:
        signal = own.make()
        signal.connect(free)
        signal.connect(later, sender=sender, weak=False)
        if not own.caching:
            signal.connect(free, sender="not weakly referenceable")
        (_, r1, s1, a1), (_, r2, s2, a2), *unweakable = signal.receivers
        assert (r1(), s1, a1) == (free, None, False)
        assert (r2, s2(), a2) == (later, sender, True)
        assert [(r(), s, a) for _, r, s, a in unweakable] in ([], [(free, None, False)])
        if DJANGO >= (6, 0):
            theirs = own.model().make()
            theirs.connect(free)
            assert len(theirs.receivers[0]) == 4


@parity()
def test_methods_of_equal_instances_are_different_receivers(d: Dispatcher) -> Any:
    class Equal(Listener):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    one, two = Equal(), Equal()
    signal = d.make()
    for receiver in (one.hear, two.hear, one.hear, one, two):
        signal.connect(receiver)
    count = len(d.send(signal, ANYONE))
    return count, signal.disconnect(two.hear), len(d.send(signal, ANYONE)), signal.disconnect(one)


@parity()
def test_classmethod_is_one_receiver_per_class(d: Dispatcher) -> Any:
    signal = d.make()
    instance = Child()
    for receiver in (
        Listener.hear_class,
        Child.hear_class,
        instance.hear_class,
        Listener().hear_class,
    ):
        signal.connect(receiver)
    return [answer for _, answer in d.send(signal, ANYONE)], signal.disconnect(Child.hear_class)
