"""`_live_receivers` overridden by a subclass."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.parity.compare import parity
from tests.parity.dispatchers import Dispatcher
from tests.parity.observe import ANYONE, Calls, answers, everything, ignore, logged, raised


@parity()
def test_override_of_a_subclass(d: Dispatcher) -> Any:
    calls = Calls()
    switch = [True]

    class Selective(d.Signal):  # type: ignore[misc, name-defined]
        def _live_receivers(self, sender: Any) -> Any:
            sync, later = super()._live_receivers(sender)
            return ([r for r in sync if switch[0] or r.__name__ != "b"], later)

    signal = Selective(use_caching=d.caching)
    kept = [calls.receiver(name) for name in "abc"]
    for receiver in kept:
        signal.connect(receiver)
    d.send(signal, ANYONE)
    before = calls.names()
    switch[0] = False
    d.send(signal, ANYONE)
    return before, calls.names(), everything(signal, ANYONE)


@parity()
def test_override_may_return_any_iterables(d: Dispatcher) -> Any:
    calls = Calls()
    first, second = calls.receiver("first"), calls.receiver("second", raises=ValueError("no"))
    later = calls.async_receiver("later")
    outcome = []
    for groups in (
        lambda: ((first, second), ()),
        lambda: (iter([first, second]), []),
        lambda: ((r for r in (first, second)), (later,)),
        lambda: [[first], [later]],
        lambda: iter([[first], [later]]),
        lambda: ({first: 1}, {later: 1}),
    ):

        class Overriding(d.Signal):  # type: ignore[misc, name-defined]
            def _live_receivers(self, sender: Any) -> Any:
                return groups()  # noqa: B023

        signal = Overriding(use_caching=d.caching)
        signal.connect(first)
        with logged():
            outcome.append(
                (
                    raised(lambda: signal.send(ANYONE)),  # noqa: B023
                    answers(signal.send_robust(ANYONE)),
                    answers(asyncio.run(signal.asend_robust(ANYONE))),
                    bool(signal.has_listeners(ANYONE)),
                )
            )
    return outcome


@parity()
def test_override_that_fails(d: Dispatcher) -> Any:
    class Broken(d.Signal):  # type: ignore[misc, name-defined]
        def _live_receivers(self, sender: Any) -> Any:
            raise LookupError("broken")

    signal = Broken(use_caching=d.caching)
    signal.connect(ignore)
    return [
        raised(lambda: signal.send(ANYONE)),
        raised(lambda: signal.send_robust(ANYONE)),
        raised(lambda: asyncio.run(signal.asend(ANYONE))),
        raised(lambda: signal.has_listeners(ANYONE)),
    ]


@parity()
def test_override_on_a_subclass_made_later_by_assignment(d: Dispatcher) -> Any:
    calls = Calls()
    only = calls.receiver("only")

    class Plain(d.Signal):  # type: ignore[misc, name-defined]
        pass

    signal = Plain(use_caching=d.caching)
    receiver = calls.receiver("r")
    signal.connect(receiver)
    d.send(signal, ANYONE)
    before = set(calls.names())
    Plain._live_receivers = lambda self, sender: ([only], [])
    d.send(signal, ANYONE)
    patched = set(calls.names())
    del Plain._live_receivers
    d.send(signal, ANYONE)
    return before, patched, set(calls.names())


@parity()
def test_clear_dead_receivers_can_be_overridden(d: Dispatcher) -> Any:
    class Hoarder(d.Signal):  # type: ignore[misc, name-defined]
        def _clear_dead_receivers(self) -> None:
            """Leaves the dead where they are."""

    signal = Hoarder(use_caching=d.caching)
    calls = Calls()
    receiver, kept = calls.receiver("r"), calls.receiver("kept")
    signal.connect(receiver)
    signal.connect(kept)
    d.send(signal, ANYONE)
    del receiver
    calls.clear()
    d.send(signal, ANYONE)
    return calls.names(), signal.has_listeners(ANYONE)


@parity()
def test_override_with_receivers_that_change_their_keywords(d: Dispatcher) -> Any:
    class Passing(d.Signal):  # type: ignore[misc, name-defined]
        def _live_receivers(self, sender: Any) -> Any:
            return super()._live_receivers(sender)

    def greedy(**named: Any) -> list[str]:
        names = list(named)
        named.clear()
        return names

    def second(**named: Any) -> list[str]:
        return greedy(**named)

    outcomes = []
    for receivers in ([greedy], [greedy, second]):
        signal = Passing(use_caching=d.caching)
        for receiver in receivers:
            signal.connect(receiver)
        outcomes.append([response for _, response in d.send(signal, ANYONE, a=1, b=2)])
        outcomes.append(raised(lambda signal=signal: d.send(signal, ANYONE, a=1, **{"signal": 2})))
    return outcomes
