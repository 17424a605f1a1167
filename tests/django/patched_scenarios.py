"""What becomes of methods of Django's classes that somebody replaced before adoption came.

Each scenario yields where `django.dispatch` is to be adopted; see play.py.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import ModelSignal
from django.dispatch import Signal

from tests.django.scenarios import Scenario, Sender, another, answers, function


def live_receivers_patched_before() -> Scenario:
    original = Signal._live_receivers

    def wrapped(receiver: Any) -> Any:
        return lambda **named: "patched " + receiver(**named)

    def patched(self: Any, sender: Any) -> Any:
        sync, asynchronous = original(self, sender)
        return [wrapped(receiver) for receiver in sync], asynchronous

    Signal._live_receivers = patched
    existing, caching = Signal(), Signal(use_caching=True)
    for signal in (existing, caching):
        signal.connect(function)
        answers(signal, Sender)
    yield
    left_alone = Signal._live_receivers is patched
    new = Signal()
    for signal in (existing, caching, new):
        signal.connect(another)
        signal.connect(function, dispatch_uid="again")
    observed = [
        [answers(signal, Sender) for _ in range(10)][-1] for signal in (existing, caching, new)
    ]
    gone = [signal.disconnect(another) for signal in (existing, caching, new)]
    observed += [answers(signal, Sender) for signal in (existing, caching, new)]
    return {"left alone": left_alone, "answers": observed, "gone": gone}


def model_connect_patched_before() -> Scenario:
    told: list[str] = []
    original = ModelSignal.connect

    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        told.append("patched")
        return original(self, *args, **kwargs)

    ModelSignal.connect = patched  # type: ignore[method-assign]
    yield
    signal = ModelSignal()
    signal.connect(function)
    return {"left alone": ModelSignal.connect is patched, "told": told, "answers": answers(signal)}


class Proxy:
    """Stands for a function as wrapt's proxies do, which tracers use: attributes are the function's."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)

    def __get__(self, instance: Any, owner: Any) -> Any:
        bound = self.function.__get__(instance, owner)
        return lambda *args, **named: [("traced", "traced"), *bound(*args, **named)]


def send_wrapped_before() -> Scenario:
    proxy = Proxy(Signal.send)
    Signal.send = proxy  # type: ignore[method-assign, assignment]
    existing = Signal()
    existing.connect(function)
    yield
    new = Signal()
    new.connect(function, priority=1)  # type: ignore[call-arg]
    return {
        "left alone": vars(Signal)["send"] is proxy,
        "answers": [answers(existing), answers(new)],
    }
