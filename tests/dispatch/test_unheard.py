"""Receivers that die before their signal is sent: somebody is told, once, and nobody is harmed."""

from __future__ import annotations

import functools
import gc
import threading
import warnings
import weakref
from typing import Any

import pytest

from signalpost import DeadReceiverWarning, Signal, receiver
from signalpost.dispatch import unheard
from signalpost.dispatch.unheard import KEPT


def function(**named: Any) -> str:
    return "function"


class Host:
    def method(self, **named: Any) -> str:
        return "method"


class Called:
    def __call__(self, **named: Any) -> str:
        return "object"


def make_local() -> Any:
    def local(**named: Any) -> str:
        return "local"

    return local


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unheard, "_told", {})


def told(signal: Signal) -> list[warnings.WarningMessage]:
    """What a send warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        signal.send(None)
    assert all(message.category is DeadReceiverWarning for message in caught)
    return caught


LOST = {
    "lambda": (lambda: lambda **named: None, "LOST.<lambda>"),
    "local": (make_local, "make_local.<locals>.local"),
    "partial": (lambda: functools.partial(function, a=1), "partial(function)"),
    "partial-method": (lambda: functools.partial(Host().method, a=1), "partial(Host.method)"),
    "method": (lambda: Host().method, "Host.method"),
}


@pytest.mark.parametrize("kind", LOST)
def test_receiver_that_nobody_kept_is_told_of_at_the_next_send(kind: str) -> None:
    make, name = LOST[kind]
    signal = Signal(name="shop.paid")
    signal.connect(function)
    signal.connect(make())

    [message] = told(signal)

    name = name.replace("LOST.<lambda>", "<lambda>.<locals>.<lambda>")
    assert str(message.message) == (
        f"Receiver 'tests.dispatch.test_unheard.{name}' of signal 'shop.paid' was gone before the "
        "signal was sent: it is referred to weakly, and nothing else kept it. Keep it, in a variable "
        "of the module, say, or connect it with weak=False."
    )
    assert message.filename == __file__  # where it was written
    assert told(signal) == []


def test_place_of_the_warning_is_that_of_the_receiver() -> None:
    signal = Signal()
    signal.connect(make_local())
    [message] = told(signal)
    local = make_local().__code__
    assert (message.filename, message.lineno) == (local.co_filename, local.co_firstlineno)


@pytest.mark.parametrize("how", ["send", "send_robust", "send_all", "has_listeners"])
def test_each_way_to_reach_receivers_tells(how: str) -> None:
    signal = Signal()
    signal.connect(make_local(), sender=Host)
    with pytest.warns(DeadReceiverWarning, match="make_local.<locals>.local"):
        getattr(signal, how)(Host)


def test_receiver_that_another_has_taken_the_place_of_is_told_of() -> None:
    signal = Signal()
    signal.connect(make_local(), dispatch_uid="uid")
    signal.connect(function, dispatch_uid="uid")
    assert len(told(signal)) == 1


def test_each_place_is_told_of_once() -> None:
    signal = Signal()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            for _ in range(KEPT + 3):
                signal.connect(make_local())
            signal.connect(lambda **named: None)
            signal.send(None)
    assert len(caught) == 2


def test_receivers_that_are_kept_are_not_told_of() -> None:
    signal = Signal()
    host, called, local = Host(), Called(), make_local()
    partial = functools.partial(function)
    for each in (host.method, called, local, partial, function):
        signal.connect(each)
    signal.connect(make_local(), weak=False)
    assert told(signal) == []
    assert signal._registry.noted == {}


def test_functions_of_a_module_and_methods_of_kept_objects_are_not_even_noted() -> None:
    signal = Signal()
    host = Host()
    signal.connect(function)
    signal.connect(host.method)
    assert signal._registry.noted == {}


def test_receiver_that_dies_after_it_was_called_is_not_told_of() -> None:
    signal = Signal()
    local = make_local()
    signal.connect(local)
    assert told(signal) == []
    del local
    assert told(signal) == []


def test_receiver_that_was_disconnected_or_is_for_a_dead_sender_is_not_told_of() -> None:
    signal, sender, local = Signal(), Host(), make_local()
    signal.connect(local, sender=sender)
    signal.disconnect(local, sender=sender)
    assert signal._registry.noted == {}
    signal.connect(make_local(), sender=sender)
    del sender
    gc.collect()
    assert told(signal) == []


def test_receivers_of_a_list_that_was_replaced_are_not_told_of() -> None:
    signal = Signal()
    signal.connect(make_local())
    signal.receivers = []
    signal.connect(function)
    assert told(signal) == []


def test_warning_as_an_error_leaves_the_signal_as_it_should_be() -> None:
    signal = Signal()
    signal.connect(make_local())
    signal.connect(function)
    with pytest.raises(DeadReceiverWarning), warnings.catch_warnings():
        warnings.simplefilter("error")
        signal.send(None)
    assert signal.send(None) == [(function, "function")]


def test_no_lock_is_held_while_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    signal = Signal()
    free: list[bool] = []

    def take() -> None:
        free.append(signal.lock.acquire(timeout=10))  # type: ignore[attr-defined]
        if free[-1]:
            signal.lock.release()  # type: ignore[attr-defined]

    def show(*args: Any, **named: Any) -> None:
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()

    signal.connect(make_local())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", show)
        signal.send(None)
    assert free == [True]


def test_what_a_noted_connection_holds_goes_when_it_is_ended() -> None:
    signal, local = Signal(), make_local()

    class Condition:
        def __call__(self, **named: Any) -> bool:
            return True

    condition = Condition()
    reference = weakref.ref(condition)
    receiver(signal, when=condition)(local)
    signal.disconnect(local)
    del condition
    assert reference() is None
