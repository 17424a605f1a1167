"""Senders that Django confuses or refuses, and ours takes."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.parity.compare import differs
from tests.parity.dispatchers import EVERY, PLAIN, Dispatcher
from tests.parity.observe import Calls

CACHING = tuple(d for d in EVERY if d.caching)


class Equal:
    """Equal to its likes: as senders they're different all the same."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal)

    def __hash__(self) -> int:
        return 1


@differs(
    django=[["one"], ["one"], True],
    ours=[["one"], [], False],
    subjects=CACHING,
)
def test_equal_senders_of_a_caching_signal_do_not_share_receivers(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    one, two = Equal("one"), Equal("two")
    receiver = calls.receiver("one")
    signal.connect(receiver, sender=one)
    signal.send(one)
    first = calls.names()
    signal.send(two)
    return [first, calls.names(), signal.has_listeners(two)]


@differs(
    django=[["r"], [], False, False],
    ours=[["r"], [], False, False],
    subjects=PLAIN,
)
def test_equal_senders_of_an_uncached_signal_never_shared_receivers(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    one, two = Equal("one"), Equal("two")
    receiver = calls.receiver("r")
    signal.connect(receiver, sender=one)
    d.send(signal, one)
    first = sorted(set(calls.names()))
    d.send(signal, two)
    return [
        first,
        calls.names(),
        signal.has_listeners(two),
        signal.disconnect(receiver, sender=two),
    ]


@differs(
    django=["TypeError"] * 8,
    ours=[True, 1, 1, 1, 1, 1, 1, True],
    subjects=CACHING,
)
def test_caching_signal_takes_any_sender(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    signal.connect(receiver)

    def attempt(call: Any) -> Any:
        try:
            result = call()
        except TypeError:
            return "TypeError"
        return result if isinstance(result, bool) else len(result)

    return [
        attempt(signal.has_listeners),
        attempt(lambda: d.send(signal, None)),
        attempt(lambda: signal.send_robust(None)),
        attempt(lambda: asyncio.run(signal.asend(None))),
        attempt(lambda: asyncio.run(signal.asend_robust(None))),
        attempt(lambda: d.send(signal, "text")),
        attempt(lambda: d.send(signal, (1, 2))),
        attempt(lambda: signal.has_listeners(3)),
    ]


@differs(
    django=["TypeError"] * 2,
    ours=[1, 2],
    subjects=CACHING,
)
def test_caching_signal_matches_senders_that_cannot_be_weakly_referenced(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    sender = ("a", "tuple")
    signal.connect(receiver, sender=sender)
    outcome = []
    for _ in range(2):
        try:
            outcome.append(len(d.send(signal, sender)))
        except TypeError:
            outcome.append("TypeError")  # type: ignore[arg-type]
        signal.connect(receiver)
    return outcome


@differs(
    django=[["TypeError"] * 3] * 2,
    ours=[[1, 1, 2]] * 2,
    subjects=PLAIN,
)
def test_unhashable_sender_is_sent_from(d: Dispatcher) -> Any:
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise AssertionError("senders are matched by identity")

    outcome = []
    for sender in (["a list"], Unhashable()):
        signal = d.make()
        receiver = Calls().receiver("r")
        signal.connect(receiver)
        counts = []
        for step in range(3):
            if step == 2:
                signal.connect(receiver, sender=sender)
            try:
                counts.append(len(d.send(signal, sender)))
            except TypeError:
                counts.append("TypeError")  # type: ignore[arg-type]
        outcome.append(counts)
    return outcome
