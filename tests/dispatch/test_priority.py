"""`connect(..., priority=)`: higher runs earlier, equal ones in the order of connection."""

from __future__ import annotations

import decimal
import fractions
from typing import Any

import pytest

from signalpost import ReceiverError, Signal, receiver
from tests.dispatch.heat import WAYS, dispatch, heat, responses


def labelled(label: Any, *, asynchronous: bool = False) -> Any:
    def sync_receiver(**kwargs: Any) -> Any:
        return label

    async def async_receiver(**kwargs: Any) -> Any:
        return label

    return async_receiver if asynchronous else sync_receiver


def connected(*priorities: Any, asynchronous: bool = False) -> tuple[Signal, list[Any]]:
    """A signal whose receivers return the priority that they were connected with."""
    signal = Signal(name="shop.paid")
    kept = [labelled(priority, asynchronous=asynchronous) for priority in priorities]
    for function, priority in zip(kept, priorities, strict=True):
        signal.connect(function, priority=priority)
    return signal, kept


@pytest.mark.parametrize("way", WAYS)
def test_higher_runs_earlier(way: str, sends_before: int) -> None:
    signal, _kept = connected(0, 10, -5, 2.5, float("inf"), -float("inf"), 2, 10**30)
    heat(signal, sends_before)

    assert responses(dispatch(way, signal)) == [
        float("inf"), 10**30, 10, 2.5, 2, 0, -5, -float("inf"),
    ]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_equal_priorities_run_in_the_order_of_connection(way: str, sends_before: int) -> None:
    signal = Signal()
    kept = [labelled((priority, n)) for n in range(7) for priority in (0, 1)]
    for function in kept:
        signal.connect(function, priority=function()[0])
    heat(signal, sends_before)

    assert responses(dispatch(way, signal)) == [(1, n) for n in range(7)] + [
        (0, n) for n in range(7)
    ]


@pytest.mark.parametrize("equal", [1, 1.0, True, -0.0])
def test_numbers_that_are_equal_are_equal_priorities(equal: Any, sends_before: int) -> None:
    signal = Signal()
    first, second = labelled("first"), labelled("second")
    signal.connect(first, priority=equal)
    signal.connect(second, priority=int(equal))
    heat(signal, sends_before)

    assert responses(signal.send(None)) == ["first", "second"]


@pytest.mark.parametrize("way", WAYS)
def test_async_receivers_run_after_sync_ones_whatever_their_priority(way: str) -> None:
    signal = Signal()
    kept = []
    for asynchronous in (True, False):
        for priority in (1, 3, 2):
            function = labelled((asynchronous, priority), asynchronous=asynchronous)
            kept.append(function)
            signal.connect(function, priority=priority + 100 * asynchronous)

    assert responses(dispatch(way, signal)) == [
        (False, 3), (False, 2), (False, 1), (True, 3), (True, 2), (True, 1),
    ]  # fmt: skip


def test_receivers_of_one_sender_and_of_any_are_ordered_together(sends_before: int) -> None:
    class Sender: ...

    signal = Signal()
    kept = [labelled(n) for n in range(6)]
    for n, function in enumerate(kept):
        signal.connect(function, sender=Sender if n % 2 else None, priority=n)
    heat(signal, sends_before, Sender)
    heat(signal, sends_before, None)

    assert responses(signal.send(Sender)) == [5, 4, 3, 2, 1, 0]
    assert responses(signal.send(None)) == [4, 2, 0]


def test_late_receiver_of_high_priority_overtakes_hot_code(sends_before: int) -> None:
    signal, _kept = connected(0, 1)
    heat(signal, sends_before)
    late = labelled("late")
    signal.connect(late, priority=0.5)

    assert responses(signal.send(None)) == [1, "late", 0]


def test_receiver_that_is_connected_already_keeps_its_priority(sends_before: int) -> None:
    signal, kept = connected(1, 2)
    signal.connect(kept[0], priority=3)
    heat(signal, sends_before)

    assert responses(signal.send(None)) == [2, 1]


def test_reconnected_receiver_has_its_new_priority(sends_before: int) -> None:
    signal, kept = connected(1, 2)
    heat(signal, sends_before)
    signal.disconnect(kept[0])
    signal.connect(kept[0], priority=3)

    assert responses(signal.send(None)) == [1, 2]


def test_priority_stays_with_a_row_that_is_put_aside_and_back(sends_before: int) -> None:
    signal, _kept = connected(1, 3, 2)
    paused, signal.receivers = signal.receivers, []
    late = labelled("late")
    signal.connect(late, priority=2.5)
    heat(signal, sends_before)
    signal.receivers = paused + signal.receivers

    assert responses(signal.send(None)) == [3, "late", 2, 1]


def test_receivers_are_listed_in_the_order_of_connection() -> None:
    signal, kept = connected(1, 3, 2)

    assert [row[1]() for row in signal.receivers] == kept


def test_decorator_passes_the_priority_to_each_signal() -> None:
    signals = [Signal(), Signal()]

    @receiver(signals)
    def normal(**kwargs: Any) -> str:
        return "normal"

    @receiver(signals, priority=1)
    def early(**kwargs: Any) -> str:
        return "early"

    assert [responses(signal.send(None)) for signal in signals] == [["early", "normal"]] * 2


@pytest.mark.parametrize("priority", [decimal.Decimal(1), fractions.Fraction(1), "1"], ids=repr)
def test_only_ints_and_floats_are_priorities(priority: Any) -> None:
    # They would have to be compared with the others at each send.
    with pytest.raises(ReceiverError, match="priority must be a number"):
        Signal().connect(labelled("x"), priority=priority)
