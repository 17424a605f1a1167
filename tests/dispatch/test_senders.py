"""Senders: told apart by identity, whatever they are, and forgotten when they die."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from signalpost import Signal
from tests.dispatch.heat import HOT, heat, responses


def receiver(sender: Any, **named: Any) -> Any:
    return sender


class Plain: ...


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


class Equal:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


class Unreferenceable:
    __slots__ = ()


class Sending:
    def method(self) -> None: ...

    @classmethod
    def of_class(cls) -> None: ...


class Hostile:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    def __hash__(self) -> int:
        raise RuntimeError("hashed")

    def __bool__(self) -> bool:
        raise RuntimeError("tested")


KINDS: dict[str, Any] = {
    "instances": Plain,
    "classes": lambda: type("Sender", (), {}),
    "unhashable": Unhashable,
    "equal": Equal,
    "not weakly referenceable": Unreferenceable,
    "objects": object,
    "strings": lambda: "".join(["sen", "der"]),
    "numbers": lambda: 10**20 + 1 - len("x"),
    "lists": list,
    "hostile": Hostile,
}


@pytest.mark.parametrize("caching", [True, False], ids=["caching", "plain"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_sender_reaches_its_own_receivers_only(
    kind: str, caching: bool, sends_before: int
) -> None:
    one, other, stranger = (KINDS[kind]() for _ in range(3))
    signal = Signal(use_caching=caching)

    def for_one(**named: Any) -> str:
        return "one"

    def for_other(**named: Any) -> str:
        return "other"

    signal.connect(for_one, sender=one)
    signal.connect(for_other, sender=other)
    for sender in (one, other, stranger):
        heat(signal, sends_before, sender)

    assert responses(signal.send(one)) == ["one"]
    assert responses(signal.send(other)) == ["other"]
    assert responses(signal.send_robust(stranger)) == []
    assert [signal.has_listeners(sender) for sender in (one, other, stranger)] == [
        True,
        True,
        False,
    ]
    assert signal.disconnect(for_one, sender=other) is False
    assert signal.disconnect(for_one, sender=one) is True
    assert responses(signal.send(one)) == []
    assert responses(signal.send(other)) == ["other"]


def test_bound_method_is_one_sender_however_often_it_is_taken(sends_before: int) -> None:
    host, stranger = Sending(), Sending()
    signal = Signal()
    signal.connect(receiver, sender=host.method)
    heat(signal, sends_before, host.method)

    assert responses(signal.send(host.method)) == [host.method]
    assert responses(signal.send(stranger.method)) == []
    assert responses(signal.send(host)) == []
    assert signal.disconnect(receiver, sender=host.method)


def test_classmethod_as_a_sender_is_of_its_class(sends_before: int) -> None:
    class Heir(Sending): ...

    signal = Signal()
    signal.connect(receiver, sender=Sending.of_class)
    heat(signal, sends_before, Sending.of_class)

    assert len(signal.send(Sending.of_class)) == 1
    assert signal.send(Heir.of_class) == []


def test_sender_is_not_kept_alive(sends_before: int) -> None:
    sender = Plain()
    signal = Signal()
    signal.connect(receiver, sender=sender)
    heat(signal, sends_before, sender, a=1)
    reference = weakref.ref(sender)
    del sender

    assert reference() is None
    assert signal.receivers == []


def test_sender_that_dies_in_a_cycle_is_forgotten(sends_before: int) -> None:
    sender = Plain()
    sender.itself = sender  # type: ignore[attr-defined]
    signal = Signal()
    signal.connect(receiver, sender=sender)
    heat(signal, sends_before, sender)
    del sender
    gc.collect()

    assert signal.receivers == []
    assert not signal.has_listeners()


def test_sender_that_cannot_be_weakly_referenced_is_kept_so_that_its_id_is_not_given_away() -> None:
    signal = Signal()
    sender = Unreferenceable()
    signal.connect(receiver, sender=sender)
    key = id(sender)
    del sender

    assert all(id(Unreferenceable()) != key for _ in range(100))
    assert len(signal.receivers) == 1


class Padded:
    # Of a size that little else has, so that the next one gets the memory, and the id, of the last.
    __slots__ = ("__weakref__", *(f"padding_{number}" for number in range(50)))


def reincarnated(signal: Signal, sends: int, **options: Any) -> Padded:
    """A sender with the id of a dead one that had a receiver."""
    for _ in range(100):
        sender = Padded()
        signal.connect(receiver, sender=sender, **options)
        heat(signal, sends, sender)
        key = id(sender)
        del sender
        for candidate in [Padded() for _ in range(50)]:
            if id(candidate) == key:
                return candidate
    pytest.fail("no id was given again")


def test_new_sender_with_the_id_of_a_dead_one_reaches_nobody(sends_before: int) -> None:
    signal = Signal()
    sender = reincarnated(signal, sends_before)

    assert signal.send(sender) == []
    assert signal.send_robust(sender) == []
    assert not signal.has_listeners(sender)


def test_new_sender_with_the_id_of_a_dead_one_has_nothing_to_disconnect(sends_before: int) -> None:
    signal = Signal()
    sender = reincarnated(signal, sends_before)

    assert signal.disconnect(receiver, sender=sender) is False


def test_new_sender_with_the_id_of_a_dead_one_connects_anew(sends_before: int) -> None:
    signal = Signal()
    sender = reincarnated(signal, sends_before, dispatch_uid="uid")

    def another(**named: Any) -> str:
        return "another"

    signal.connect(another, sender=sender, dispatch_uid="uid")
    assert responses(signal.send(sender)) == ["another"]
    heat(signal, HOT, sender)
    assert responses(signal.send(sender)) == ["another"]


def test_dead_senders_do_not_pile_up() -> None:
    signal = Signal()
    for _ in range(1000):
        sender = Plain()
        signal.connect(receiver, sender=sender)
        signal.send(sender)
        del sender

    assert len(signal._registry.groups) < 100
    assert signal.receivers == []
    assert len(signal._registry.groups) == 0


@pytest.mark.filterwarnings("ignore::signalpost.DeadReceiverWarning")  # on purpose
def test_dead_receivers_do_not_pile_up() -> None:
    signal = Signal()
    for _ in range(1000):
        signal.connect(lambda **named: None)

    assert signal._registry.count < 100
    assert signal.send(None) == []
    assert signal._registry.count == 0


def test_uid_is_told_apart_by_equality_and_needs_no_hash(sends_before: int) -> None:
    def another(**named: Any) -> str:
        return "another"

    signal = Signal()
    signal.connect(receiver, dispatch_uid=["a", 1])
    signal.connect(another, dispatch_uid=["a", 1])
    signal.connect(another, dispatch_uid=["a", 2])
    heat(signal, sends_before)

    assert responses(signal.send("x")) == ["x", "another"]
    assert signal.disconnect(dispatch_uid=["b"]) is False
    assert signal.disconnect(dispatch_uid=["a", 1]) is True
    assert responses(signal.send("x")) == ["another"]


@pytest.mark.filterwarnings("ignore::signalpost.DeadReceiverWarning")  # on purpose
def test_uid_of_a_dead_receiver_is_free_again(sends_before: int) -> None:
    signal = Signal()
    signal.connect(lambda **named: "dead", dispatch_uid="uid")
    heat(signal, sends_before)
    signal.connect(receiver, dispatch_uid="uid")

    assert responses(signal.send("x")) == ["x"]


def test_disconnecting_the_dead_tells_that_there_was_nothing() -> None:
    signal = Signal()
    signal.connect(lambda **named: "dead", dispatch_uid="uid")

    assert signal.disconnect(dispatch_uid="uid") is False
