"""Whatever the receivers and the payload: cold sends, hot sends and robust ones do the same."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from signalpost import Signal
from signalpost.dispatch import codegen
from tests.dispatch.heat import HOT
from tests.dispatch.shapes import (
    DECLARED,
    MORTAL,
    ODD,
    PLAIN,
    Broken,
    Call,
    Outcome,
    Shape,
    model,
    shapes,
    write,
)

UNHURRIED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Each sender is a number here; a signal tells them apart by identity.
SENDERS = {None: None, 0: type("First", (), {}), 1: type("Second", (), {}), 2: object()}


class Stage:
    """A signal with receivers of these shapes, which are recorded."""

    def __init__(self, signal: Signal, given: list[Shape]) -> None:
        self.signal = signal
        self.shapes = given
        self.calls: list[Call] = []
        self.raising = [False]
        self.receivers = [
            write(shape, n, self.calls, self.raising) for n, shape in enumerate(given)
        ]
        for receiver, shape in zip(self.receivers, given, strict=True):
            signal.connect(
                receiver,
                sender=None if shape.sender is None else SENDERS[shape.sender],
                weak=shape.weak,
                priority=shape.priority,
            )

    def heat(self, sender: int | None, payload: dict[str, Any]) -> None:
        for _ in range(HOT):
            self.signal.send(SENDERS[sender], **payload)

    def outcome(self, way: str, sender: int | None, payload: dict[str, Any]) -> Outcome:
        """What a send does in which some receivers raise."""
        self.calls.clear()
        self.raising[0] = True
        try:
            sent = getattr(self.signal, way)(SENDERS[sender], **payload)
            pairs = asyncio.run(sent) if way == "asend" else sent
        except Broken as error:
            return Outcome(self.seen(sender), None, repr(error))
        finally:
            self.raising[0] = False
        return Outcome(self.seen(sender), tuple(map(self._numbered, pairs)), None)

    def _numbered(self, pair: tuple[Any, Any]) -> tuple[int, Any]:
        receiver, response = pair
        return self.receivers.index(receiver), response

    def seen(self, sender: int | None) -> tuple[Call, ...]:
        """The calls, the sender as its number."""
        numbers = {id(value): number for number, value in SENDERS.items()}
        return tuple(
            Call(
                call.receiver,
                tuple(
                    (name, numbers.get(id(value), "a stranger") if name == "sender" else value)
                    for name, value in call.arguments
                ),
            )
            for call in self.calls
        )

    def expected(self, sender: int | None, payload: dict[str, Any], *, declared: bool) -> Outcome:
        return model(self.shapes, self.receivers, sender, self.signal, payload, declared=declared)


def check_all_paths(
    make_signal: Any,
    given: list[Shape],
    sender: int | None,
    payload: dict[str, Any],
    declared: bool,
) -> None:
    cold, hot = Stage(make_signal(), given), Stage(make_signal(), given)
    hot.heat(sender, payload)

    assert hot.outcome("send", sender, payload) == hot.expected(sender, payload, declared=declared)
    assert cold.outcome("send", sender, payload) == cold.expected(
        sender, payload, declared=declared
    )
    assert cold.outcome("asend", sender, payload) == cold.expected(
        sender, payload, declared=declared
    )

    reached = sum(shape.sender in {None, sender} for shape in given)
    generated = any(call.generated for call in hot.calls)
    event(
        f"{reached if reached < 2 else 'few' if reached <= codegen.UNROLLED else 'many'} receivers"
    )
    event(f"{'generated' if generated else 'no'} code")
    if set(payload) <= set(PLAIN) and 0 < reached <= codegen.UNROLLED:
        assert generated


def some(each: st.SearchStrategy[Shape]) -> st.SearchStrategy[list[Shape]]:
    """Few receivers, whose calls are unrolled, or many, which run in loops."""
    return st.lists(each, max_size=8) | st.lists(each, min_size=17, max_size=24)


payloads = st.dictionaries(st.sampled_from(PLAIN), st.integers(), max_size=4) | st.dictionaries(
    st.sampled_from(PLAIN + ODD), st.integers(), max_size=4
)
senders = st.sampled_from([None, 0, 1, 2])


@UNHURRIED
@given(given=some(shapes(("signal", "sender"))), sender=senders, payload=payloads)
def test_undeclared_payload(
    given: list[Shape], sender: int | None, payload: dict[str, Any]
) -> None:
    opened = [
        Shape(**{**{f: getattr(shape, f) for f in Shape.__slots__}, "takes_others": True})
        for shape in given
    ]
    check_all_paths(Signal, opened, sender, payload, declared=False)


@UNHURRIED
@given(
    given=some(shapes((*DECLARED, "signal", "sender"))),
    sender=senders,
    order=st.permutations(DECLARED),
    data=st.data(),
)
def test_declared_payload(
    given: list[Shape], sender: int | None, order: list[str], data: st.DataObject
) -> None:
    payload = {name: data.draw(st.integers()) for name in order}

    def make_signal() -> Signal:
        return Signal(providing_args=DECLARED)

    check_all_paths(make_signal, given, sender, payload, declared=True)


@settings(UNHURRIED, max_examples=25)
@given(
    given=some(shapes(("signal", "sender"), MORTAL)),
    gone=st.sets(st.integers(0, 23)),
    payload=st.dictionaries(st.sampled_from(PLAIN), st.integers(), max_size=3),
)
def test_receivers_that_die_between_hot_sends(
    given: list[Shape], gone: set[int], payload: dict[str, Any]
) -> None:
    alive = [
        Shape(
            **{
                **{f: getattr(shape, f) for f in Shape.__slots__},
                "takes_others": True,
                "weak": True,
                "raises": False,
            }
        )
        for shape in given
    ]
    stage = Stage(Signal(), alive)
    stage.heat(0, payload)
    for n in gone & set(range(len(alive))):
        stage.receivers[n] = None

    expected = [
        call.receiver
        for call in stage.expected(0, payload, declared=False).calls
        if call.receiver not in gone
    ]
    for _ in range(HOT):
        stage.calls.clear()
        stage.signal.send(SENDERS[0], **payload)
        assert [call.receiver for call in stage.calls] == expected
