"""Hot sends run generated code, and nobody but a debugger can tell."""

from __future__ import annotations

import functools
import sys
import traceback
from typing import Any

import pytest

from signalpost import Signal
from tests.dispatch.heat import HOT, called_by_generated_code, heat, responses


def where(**named: Any) -> str:
    """A receiver that says which kind of code calls it."""
    return "generated" if called_by_generated_code() else "loop"


def test_only_hot_sends_run_generated_code() -> None:
    signal = Signal()
    signal.connect(where)

    assert responses(signal.send(None, a=1)) == ["loop"]
    heat(signal, HOT, a=1)
    assert responses(signal.send(None, a=1)) == ["generated"]


def test_hot_code_is_of_the_names_that_are_sent() -> None:
    signal = Signal()
    signal.connect(where)
    heat(signal, HOT, a=1, b=2)

    cold = [{}, {"a": 1}, {"b": 1, "a": 2}, {"a": 1, "c": 2}, {"a": 1, "b": 2, "c": 3}]

    assert [responses(signal.send(None, **payload)) for payload in cold] == [["loop"]] * len(cold)
    assert responses(signal.send(None, a=1, b=2)) == ["generated"]


def test_each_set_of_names_gets_hot() -> None:
    signal = Signal()
    signal.connect(where)
    payloads: list[dict[str, int]] = [{}, {"a": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}]
    for payload in payloads:
        heat(signal, HOT, **payload)

    assert [responses(signal.send(None, **payload)) for payload in payloads] == [["generated"]] * 4


def test_each_sender_gets_hot() -> None:
    class First: ...

    class Second: ...

    signal = Signal()
    for sender in (First, Second):
        signal.connect(where, sender=sender)
    assert responses(signal.send(First, a=1)) == ["loop"]
    heat(signal, HOT, First, a=1)
    assert responses(signal.send(Second, a=1)) == ["loop"]
    heat(signal, HOT, Second, a=1)

    assert responses(signal.send(First, a=1)) == ["generated"]
    assert responses(signal.send(Second, a=1)) == ["generated"]
    assert responses(signal.send(None, a=1)) == []


def test_traceback_shows_the_generated_line() -> None:
    def receiver(**named: Any) -> None:
        raise ValueError("broken")

    signal = Signal()
    signal.connect(receiver)
    errors: list[ValueError] = []
    for _ in range(HOT):
        try:
            signal.send(None, a=1)
        except ValueError as error:
            errors.append(error)

    text = "".join(traceback.format_exception(errors[-1]))
    assert 'File "<signalpost send ' in text
    assert "r0(signal=signal, sender=sender, a=v0)" in text


@pytest.mark.parametrize("count", [1, 4, 16, 17, 40])
def test_order_of_names_is_kept_in_kwargs(count: int, sends_before: int) -> None:
    def make(n: int) -> Any:
        return lambda **named: list(named)

    signal = Signal()
    kept = [make(n) for n in range(count)]
    for receiver in kept:
        signal.connect(receiver)
    heat(signal, sends_before, b=1, a=2, c=3)
    heat(signal, sends_before, c=1, b=2, a=3)

    assert (
        responses(signal.send(None, c=1, b=2, a=3)) == [["signal", "sender", "c", "b", "a"]] * count
    )
    assert (
        responses(signal.send(None, b=1, a=2, c=3)) == [["signal", "sender", "b", "a", "c"]] * count
    )


class Host:
    def __init__(self, label: Any = None) -> None:
        self.label = label

    def method(self, **named: Any) -> Any:
        return "method", self.label, named["a"]

    @classmethod
    def of_class(cls, **named: Any) -> Any:
        return "classmethod", cls.__name__, named["a"]

    @staticmethod
    def static(**named: Any) -> Any:
        return "staticmethod", named["a"]

    def __call__(self, **named: Any) -> Any:
        return "object", self.label, named["a"]


def plain(label: Any, **named: Any) -> Any:
    return "partial", label, named["a"]


def kinds(n: int) -> list[tuple[Any, Any]]:
    """A receiver of each kind with what it returns for a=1."""

    def function(**named: Any) -> Any:
        return "function", n, named["a"]

    return [
        (function, ("function", n, 1)),
        (Host(n).method, ("method", n, 1)),
        (type(f"Host{n}", (Host,), {}).of_class, ("classmethod", f"Host{n}", 1)),
        (type(f"Host{n}", (Host,), {"static": lambda **named: n}).static, n),
        (functools.partial(plain, n), ("partial", n, 1)),
        (Host(n), ("object", n, 1)),
        (lambda a, **named: (n, a), (n, 1)),
    ]


@pytest.mark.parametrize("rounds", [1, 2, 3, 6, 20])
@pytest.mark.parametrize("grouped", [True, False], ids=["grouped", "mixed"])
def test_receivers_of_many_kinds_run_in_order(
    rounds: int, grouped: bool, sends_before: int
) -> None:
    # Grouped, they run in one loop for each stretch; mixed, the stretches are too many for that.
    connections = [pair for n in range(rounds) for pair in kinds(n)]
    if grouped:
        connections.sort(key=lambda pair: type(pair[0]).__name__)
    signal = Signal()
    for n, (receiver, _) in enumerate(connections):
        signal.connect(receiver, weak=grouped or n % 3 != 0)
    heat(signal, sends_before, a=0)

    assert signal.send(None, a=1) == connections


@pytest.mark.parametrize("count", [2, 5, 16, 17, 60])
def test_exception_stops_the_send_at_its_receiver(count: int, sends_before: int) -> None:
    ran: list[int] = []

    def make(n: int) -> Any:
        def receiver(fail: bool, **named: Any) -> None:
            ran.append(n)
            if fail and n == count // 2:
                raise LookupError(n)

        return receiver

    signal = Signal()
    kept = [make(n) for n in range(count)]
    for receiver in kept:
        signal.connect(receiver)
    heat(signal, sends_before, fail=False)
    ran.clear()

    with pytest.raises(LookupError):
        signal.send(None, fail=True)

    assert ran == list(range(count // 2 + 1))


@pytest.mark.filterwarnings("ignore::signalpost.DeadReceiverWarning")  # on purpose
@pytest.mark.parametrize("count", [1, 3, 16, 17, 60])
@pytest.mark.parametrize("method", [True, False], ids=["methods", "functions"])
def test_receiver_that_died_is_skipped_by_hot_code(
    count: int, method: bool, sends_before: int
) -> None:
    def make(n: int) -> Any:
        host = Host(n)
        return host.method if method else lambda **named: n

    signal = Signal()
    kept = {n: make(n) for n in range(count)}
    for receiver in kept.values():
        signal.connect(receiver)
    heat(signal, sends_before, a=1)
    victim = count // 2
    del receiver, kept[victim]

    expected = [("method", n, 1) if method else n for n in kept]
    assert responses(signal.send(None, a=1)) == expected
    heat(signal, HOT, a=1)
    assert responses(signal.send(None, a=1)) == expected


@pytest.mark.parametrize("count", [2, 17])
def test_receiver_that_dies_during_a_send_does_not_harm_it(count: int, sends_before: int) -> None:
    kept: dict[int, Any] = {}
    ran: list[int] = []

    def make(n: int) -> Any:
        def receiver(drop: bool, **named: Any) -> None:
            ran.append(n)
            if drop and n == 0:
                kept.pop(count - 1)

        return receiver

    signal = Signal()
    kept.update((n, make(n)) for n in range(count))
    for receiver in kept.values():
        signal.connect(receiver)
    del receiver
    heat(signal, sends_before, drop=False)
    ran.clear()

    signal.send(None, drop=True)
    others = list(range(count - 1))
    assert ran in (others, [*others, count - 1])
    ran.clear()
    signal.send(None, drop=False)
    assert ran == others


def test_hot_send_takes_one_frame_more_and_no_other() -> None:
    frames: list[str] = []

    def receiver(**named: Any) -> None:
        frame = sys._getframe(1)
        frames[:] = [frame.f_code.co_name, frame.f_back.f_code.co_name]  # type: ignore[union-attr]

    signal = Signal()
    signal.connect(receiver)
    heat(signal, HOT, a=1)

    assert frames == ["run", "send"]
