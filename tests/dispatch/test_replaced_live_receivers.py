"""`_live_receivers`, replaced: all sends go through it, and none once it is restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from signalpost import PayloadError, Signal
from tests.dispatch.heat import (
    HOT,
    WAYS,
    called_by_generated_code,
    dispatch,
    heat,
    responses,
)

ORIGINAL = Signal._live_receivers


def where(**named: Any) -> str:
    return "generated" if called_by_generated_code() else "loop"


def plain(**named: Any) -> str:
    return "plain"


def wrapping(self: Signal, sender: Any) -> Any:
    """As tracers do: the same receivers, each in a wrapper."""
    sync, asynchronous = ORIGINAL(self, sender)

    def wrapped(receiver: Any) -> Any:
        return lambda **named: f"wrapped {receiver(**named)}"

    return [wrapped(receiver) for receiver in sync], asynchronous


def on_class(signal: Signal) -> Any:
    return mock.patch.object(Signal, "_live_receivers", wrapping)


def on_instance(signal: Signal) -> Any:
    return mock.patch.object(signal, "_live_receivers", lambda sender: wrapping(signal, sender))


def on_subclass(signal: Signal) -> Any:
    return mock.patch.object(type(signal), "_live_receivers", wrapping)


class Special(Signal): ...


PLACES: dict[str, tuple[Callable[[Signal], Any], type[Signal]]] = {
    "class": (on_class, Signal),
    "base class": (on_class, Special),
    "instance": (on_instance, Signal),
    "subclass": (on_subclass, Special),
}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Any:
    return PLACES[request.param]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    yield
    assert Signal._live_receivers is ORIGINAL
    assert Special._live_receivers is ORIGINAL


@pytest.mark.parametrize("way", WAYS)
def test_sends_go_through_it_until_it_is_restored(place: Any, way: str, sends_before: int) -> None:
    replaced, cls = place
    signal = cls()
    signal.connect(plain)
    heat(signal, sends_before)

    for _ in range(2):
        with replaced(signal):
            assert responses(dispatch(way, signal)) == ["wrapped plain"]
            heat(signal, sends_before)
            assert responses(dispatch(way, signal)) == ["wrapped plain"]
        assert responses(dispatch(way, signal)) == ["plain"]


def test_sends_get_hot_again_once_it_is_restored(place: Any, sends_before: int) -> None:
    replaced, cls = place
    signal = cls()
    signal.connect(where)
    heat(signal, sends_before)
    with replaced(signal):
        heat(signal, HOT)
    heat(signal, HOT)

    assert responses(signal.send(None)) == ["generated"]


def test_receiver_connected_while_it_is_replaced_is_called(place: Any, sends_before: int) -> None:
    replaced, cls = place
    signal = cls()
    heat(signal, sends_before)
    with replaced(signal):
        signal.connect(plain)
        assert responses(signal.send(None)) == ["wrapped plain"]

    assert responses(signal.send(None)) == ["plain"]


def test_replacement_of_one_instance_leaves_the_others_alone(sends_before: int) -> None:
    one, other = Special(), Special()
    for signal in (one, other):
        signal.connect(plain)
        heat(signal, sends_before)
    with on_instance(one):
        assert responses(one.send(None)) == ["wrapped plain"]
        assert responses(other.send(None)) == ["plain"]


def test_replacement_of_a_subclass_leaves_the_base_alone(sends_before: int) -> None:
    special, signal = Special(), Signal()
    for each in (special, signal):
        each.connect(plain)
        heat(each, sends_before)
    with on_subclass(special):
        assert responses(special.send(None)) == ["wrapped plain"]
        assert responses(signal.send(None)) == ["plain"]


def test_override_written_into_a_subclass_is_used(sends_before: int) -> None:
    class Muted(Signal):
        def _live_receivers(self, sender: Any) -> Any:
            sync, asynchronous = super()._live_receivers(sender)
            return ([], []) if sender == "muted" else (sync, asynchronous)

    signal = Muted()
    signal.connect(plain)
    heat(signal, sends_before)

    assert responses(signal.send("heard")) == ["plain"]
    assert responses(signal.send("muted")) == []
    assert not signal.has_listeners("muted")


def test_lists_that_it_returns_may_be_changed(sends_before: int) -> None:
    signal = Signal()
    signal.connect(plain)
    heat(signal, sends_before)
    signal._live_receivers(None)[0].clear()
    signal._live_receivers(None)[0].append(where)

    assert responses(signal.send(None)) == ["plain"]


def test_declared_payload_holds_behind_it(place: Any, sends_before: int) -> None:
    replaced, cls = place
    signal = cls(providing_args=["comment", "author"])

    def names_one(comment: Any) -> Any:
        return comment

    signal.connect(names_one)
    heat(signal, sends_before, comment=1, author=2)
    with replaced(signal), pytest.raises(PayloadError):
        signal.send(None, comment=1)
    assert responses(signal.send(None, comment=3, author=4)) == [3]


def test_wrapped_receiver_is_passed_what_its_wrapper_takes(place: Any, sends_before: int) -> None:
    replaced, cls = place
    signal = cls(providing_args=["comment", "author"])

    def takes_all(**named: Any) -> Any:
        return sorted(set(named) - {"signal", "sender"})

    signal.connect(takes_all)
    heat(signal, sends_before, comment=1, author=2)
    with replaced(signal):
        assert responses(signal.send(None, comment=3, author=4)) == [
            "wrapped ['author', 'comment']"
        ]
