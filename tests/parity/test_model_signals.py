"""`ModelSignal`: string senders, other registries, what its connect and disconnect return."""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.contrib.auth.models import Permission
from django.db import models

from tests.parity.compare import parity
from tests.parity.dispatchers import ADOPTED, Dispatcher, pristine
from tests.parity.observe import Calls, raised


def make(d: Dispatcher) -> Any:
    signal = d.model_signals.ModelSignal(use_caching=d.caching)
    if d.existing:
        signal = d.model_signals.ModelSignal.__new__(d.model_signals.ModelSignal)
        vars(signal).update(vars(pristine.Signal(d.caching)))
    return signal


def define(name: str, apps: Apps) -> Any:
    """A model that is known to that registry only."""
    meta = type("Meta", (), {"apps": apps, "app_label": "shop"})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta})


@parity(ADOPTED)
def test_connect_returns_none_and_disconnect_a_bool(d: Dispatcher) -> Any:
    calls = Calls()
    signal = make(d)
    receiver = calls.receiver("r")
    outcome = [
        signal.connect(receiver),
        signal.connect(receiver, sender=Permission),
        signal.connect(receiver, "auth.Permission", True, "uid"),
    ]
    d.send(signal, Permission)
    outcome += [
        signal.disconnect(receiver),
        signal.disconnect(receiver),
        signal.disconnect(receiver, sender=Permission),
        signal.disconnect(receiver, sender="auth.Permission", dispatch_uid="uid"),
        signal.disconnect(receiver, sender="auth.Permission", dispatch_uid="never connected"),
    ]
    return outcome, signal.receivers, [name for name, *_ in calls]


@parity(ADOPTED)
def test_string_sender_is_the_model_of_that_name(d: Dispatcher) -> Any:
    calls = Calls()
    signal = make(d)
    receiver = calls.receiver("r")
    signal.connect(receiver, sender="auth.Permission")
    signal.connect(receiver, sender="AUTH.permission")
    outcome = [len(d.send(signal, Permission)), signal.has_listeners(Permission)]
    signal.disconnect(receiver, sender="auth.permission")
    return outcome, signal.has_listeners(Permission), len(signal.receivers)


@parity(ADOPTED)
def test_string_sender_waits_for_its_model(d: Dispatcher) -> Any:
    calls = Calls()
    signal = make(d)
    apps = Apps()
    receiver = calls.receiver("r")
    result = signal.connect(receiver, sender="shop.Order", dispatch_uid="uid", apps=apps)
    before = list(signal.receivers)
    order = define("Order", apps)
    other = define("Other", apps)
    after = [len(d.send(signal, sender)) for sender in (order, other)]
    return (
        result,
        before,
        after,
        signal.disconnect(sender="shop.order", dispatch_uid="uid", apps=apps),
        signal.receivers,
    )


@parity(ADOPTED)
def test_receiver_of_a_model_that_never_comes_is_never_connected(d: Dispatcher) -> Any:
    signal = make(d)
    apps = Apps()
    receiver = Calls().receiver("r")
    signal.connect(receiver, sender="shop.Order", apps=apps)
    define("Another", apps)
    return signal.receivers, sorted(apps._pending_operations)


@parity(ADOPTED)
def test_decorator_connects_to_a_string_sender(d: Dispatcher) -> Any:
    calls = Calls()
    signals = [make(d), make(d)]
    receiver = calls.receiver("r")
    decorated = d.receiver(signals, sender="auth.Permission")(receiver)
    return decorated is receiver, [len(d.send(signal, Permission)) for signal in signals]


@parity(ADOPTED)
def test_bad_string_sender_is_a_value_error(d: Dispatcher) -> Any:
    signal = make(d)
    receiver = Calls().receiver("r")
    outcome = [
        raised(lambda bad=bad, change=change: change(receiver, sender=bad))
        for bad in ("nodot", "too.many.dots")
        for change in (signal.connect, signal.disconnect)
    ]
    return outcome, signal.receivers


@parity(ADOPTED)
def test_sender_of_another_registry(d: Dispatcher) -> Any:
    calls = Calls()
    signal = make(d)
    one, other = Apps(), Apps()
    order, same_name = define("Order", one), define("Order", other)
    receiver = calls.receiver("r")
    signal.connect(receiver, sender="shop.Order", apps=one)
    return [len(d.send(signal, sender)) for sender in (order, same_name)]


@parity(ADOPTED)
def test_arguments_by_position(d: Dispatcher) -> Any:
    signal = make(d)
    apps = Apps()
    receiver = Calls().receiver("r")
    signal.connect(receiver, "shop.Order", False, None, apps)
    define("Order", apps)
    strong = signal.receivers[0][1] is receiver
    signal.disconnect(receiver, "shop.Order", None, apps)
    return strong, signal.receivers
