"""`_live_receivers`: the one place where others override or patch what a send calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from tests.parity.compare import parity
from tests.parity.dispatchers import PLAIN, Dispatcher
from tests.parity.observe import ANYONE, Calls, Sender, everything, ignore


@parity()
def test_it_returns_two_fresh_lists_of_the_receivers_themselves(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.receiver("sync"), calls.async_receiver("async"), calls.receiver("another")]
    for receiver in kept:
        signal.connect(receiver)
    first = signal._live_receivers(ANYONE)
    second = signal._live_receivers(ANYONE)
    fresh = first is not second and first[0] is not second[0] and first[1] is not second[1]
    first[0].clear()
    first[1].append(ignore)
    return (
        type(first),
        [type(group) for group in first],
        fresh,
        [[receiver in kept for receiver in group] for group in second],
        len(d.send(signal, ANYONE)) if d.repeat == 1 else None,
        signal._live_receivers(ANYONE) == second,
    )


@parity()
def test_it_gives_those_of_the_sender_and_of_any_sender(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    one, other = Sender("one"), Sender("other")
    kept = {name: calls.receiver(name) for name in ("any", "one", "other", "dead")}
    signal.connect(kept["one"], sender=one)
    signal.connect(kept["any"])
    signal.connect(kept["other"], sender=other)
    signal.connect(kept["dead"])
    del kept["dead"]
    empty = d.make()._live_receivers(one)
    return empty, [[r.__name__ for r in signal._live_receivers(s)[0]] for s in (one, other, ANYONE)]


@parity(PLAIN)
def test_it_takes_none(d: Dispatcher) -> Any:
    signal = d.make()
    signal.connect(ignore)
    return signal._live_receivers(None)[0] == [ignore], signal._live_receivers(sender=None)[1]


def _tracing(original: Callable[..., Any], spans: list[str]) -> Callable[..., Any]:
    """What sentry-sdk puts in its place: it wraps each sync receiver."""

    def traced(self: Any, sender: Any) -> Any:
        sync, later = original(self, sender)

        def wrap(receiver: Any) -> Any:
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                spans.append(receiver.__name__)
                return receiver(*args, **kwargs)

            return wrapper

        for index, receiver in enumerate(sync):
            sync[index] = wrap(receiver)
        return sync, later

    return traced


@parity()
def test_patched_on_the_class_as_sentry_does(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.receiver("sync"), calls.async_receiver("async")]
    for receiver in kept:
        signal.connect(receiver)
    d.send(signal, ANYONE) if d.repeat == 1 else signal.send(ANYONE)
    spans: list[str] = []
    original = d.Signal._live_receivers
    with mock.patch.object(d.Signal, "_live_receivers", _tracing(original, spans)):
        outcome = everything(signal, ANYONE)
        [(wrapper, _), _] = signal.send(ANYONE)
        wrapped = wrapper is not kept[0]
        traced = list(spans)
        fresh = d.make()
        fresh.connect(kept[0])
        fresh.send(ANYONE)
    spans.clear()
    restored = everything(signal, ANYONE)
    return outcome, wrapped, traced, restored, spans


@parity()
def test_patched_twice_and_unpatched_in_order(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    inner: list[str] = []
    outer: list[str] = []
    counts = []
    with mock.patch.object(d.Signal, "_live_receivers", _tracing(d.Signal._live_receivers, inner)):
        with mock.patch.object(
            d.Signal, "_live_receivers", _tracing(d.Signal._live_receivers, outer)
        ):
            d.send(signal, ANYONE)
            counts.append((len(inner), len(outer)))
        d.send(signal, ANYONE)
        counts.append((len(inner), len(outer)))
    d.send(signal, ANYONE)
    return [*counts, (len(inner), len(outer))], calls.names()


@parity()
def test_patched_on_one_instance(d: Dispatcher) -> Any:
    calls = Calls()
    signal, untouched = d.make(), d.make()
    receiver, other = calls.receiver("r"), calls.receiver("other")
    signal.connect(receiver)
    untouched.connect(receiver)
    d.send(signal, ANYONE)
    calls.clear()
    signal._live_receivers = lambda sender: ([other], [])
    patched = everything(signal, ANYONE), everything(untouched, ANYONE)
    del signal._live_receivers
    return patched, everything(signal, ANYONE), calls.names()


@parity()
def test_put_into_the_instances_dict_directly(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    receiver, other = calls.receiver("r"), calls.receiver("other")
    signal.connect(receiver)
    d.send(signal, ANYONE)
    calls.clear()
    with mock.patch.object(signal, "_live_receivers", return_value=([other], [])) as live:
        outcome = everything(signal, ANYONE)
    return outcome, live.call_count, everything(signal, ANYONE), calls.names()


@parity()
def test_each_send_asks_once_with_its_sender(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("r")
    signal.connect(receiver)
    with mock.patch.object(d.Signal, "_live_receivers", autospec=True) as live:
        live.return_value = ([receiver], [])
        everything(signal, ANYONE)
    return [
        (call.args[0] is signal, call.args[1:] == (ANYONE,), call.kwargs)
        for call in live.call_args_list
    ]


@parity()
def test_it_is_not_asked_while_no_receiver_is_connected(d: Dispatcher) -> Any:
    signal = d.make()
    with mock.patch.object(d.Signal, "_live_receivers") as live:
        live.return_value = ([ignore], [])
        outcome = [
            signal.send(ANYONE),
            signal.send_robust(ANYONE),
            asyncio.run(signal.asend(ANYONE)),
        ]
        asked = live.call_count
        return outcome, asked, signal.has_listeners(ANYONE), live.call_count


@pytest.mark.parametrize(
    "name", ["_live_receivers", "_clear_dead_receivers", "_log_robust_failure"]
)
def test_patches_left_nothing_behind(name: str) -> None:
    # The tests above patch the adopted class itself.
    import django.dispatch

    assert not isinstance(vars(django.dispatch.Signal)[name], mock.Mock)
