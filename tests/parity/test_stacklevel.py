"""Receivers that count frames: a warning's `stacklevel` finds the code that sent the signal."""

from __future__ import annotations

import linecache
import sys
import warnings
from typing import Any

from tests.parity.compare import differs, parity
from tests.parity.dispatchers import ADOPTED, Dispatcher
from tests.parity.observe import ANYONE


def located(caught: list[warnings.WarningMessage]) -> list[str]:
    """The source lines that the warnings point to, the dispatcher's own as "elsewhere"."""
    return [
        linecache.getline(w.filename, w.lineno).strip() if w.filename == __file__ else "elsewhere"
        for w in caught
    ]


def _sends(d: Dispatcher, *receivers: Any) -> Any:
    outcome = []
    for receiver in receivers:
        signal = d.make()
        signal.connect(receiver)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(d.repeat):
                signal.send(ANYONE, a=1)  # the line that sends
                signal.send_robust(ANYONE, a=1)  # the line that sends robustly
        outcome.append(located(caught))
    return outcome


@parity(ADOPTED)
def test_stacklevel_by_keyword(d: Dispatcher) -> Any:
    def one(**named: Any) -> None:
        warnings.warn("one", stacklevel=1)

    def three(**named: Any) -> None:
        warnings.warn("three", stacklevel=3)

    def four(**named: Any) -> None:
        warnings.warn("four", stacklevel=4)

    return _sends(d, one, three, four)


@parity(ADOPTED)
def test_stacklevel_by_position_and_from_a_variable(d: Dispatcher) -> Any:
    level = 3

    def by_position(**named: Any) -> None:
        warnings.warn("by position", UserWarning, 3)

    def from_a_variable(**named: Any) -> None:
        warnings.warn("from a variable", stacklevel=level)

    def unpacked(**named: Any) -> None:
        warnings.warn("unpacked", **{"stacklevel": level})  # type: ignore[arg-type]

    return _sends(d, by_position, from_a_variable, unpacked)


@differs(
    django=["signal.send(ANYONE, a=1)  # the line that sends"],
    ours=["elsewhere"],
    subjects=ADOPTED,
)
def test_stacklevel_counted_elsewhere_than_in_the_receiver_is_one_off_in_a_hot_signal(
    d: Dispatcher,
) -> Any:
    def complain() -> None:
        warnings.warn("on behalf of the sender", stacklevel=4)

    def receiver(**named: Any) -> None:
        complain()

    signal = d.make()
    signal.connect(receiver)
    for _ in range(40):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            signal.send(ANYONE, a=1)  # the line that sends
    return located(caught)


@parity(ADOPTED)
def test_stacklevel_of_methods_and_callable_objects(d: Dispatcher) -> Any:
    class Listener:
        def hear(self, **named: Any) -> None:
            warnings.warn("hear", stacklevel=3)

        def __call__(self, **named: Any) -> None:
            warnings.warn("call", stacklevel=3)

    listener = Listener()
    return _sends(d, listener.hear, listener)


@parity(ADOPTED)
def test_stacklevel_next_to_receivers_that_count_nothing(d: Dispatcher) -> Any:
    def quiet(**named: Any) -> None: ...

    def warning(**named: Any) -> None:
        warnings.warn("three", stacklevel=3)

    signal = d.make()
    signal.connect(quiet)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(d.repeat):
            signal.send(ANYONE)
        signal.connect(warning)
        for _ in range(d.repeat):
            signal.send(ANYONE, a=1)
            signal.send(ANYONE, b=1)
    return located(caught)


@parity(ADOPTED)
def test_frames_between_receiver_and_sender(d: Dispatcher) -> Any:
    seen = []

    def receiver(**named: Any) -> None:
        caller = sys._getframe(1)
        assert caller.f_back is not None
        seen.append(
            (
                caller.f_code.co_name,
                caller.f_back.f_code.co_name,
                caller.f_back.f_code.co_filename == __file__,
            )
        )

    def sending(signal: Any) -> None:
        signal.send(ANYONE, a=1)
        signal.send_robust(ANYONE, a=1)

    signal = d.make()
    signal.connect(receiver)
    for _ in range(d.repeat):
        sending(signal)
    return seen
