"""sentry-sdk replaces ``_live_receivers`` on the class and wraps each receiver in a span."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any

PACKAGE = "sentry-sdk"
SETTINGS: dict[str, Any] = {"INSTALLED_APPS": ["django.contrib.contenttypes"]}

events: list[dict[str, Any]] = []
state: dict[str, Any] = {}


def prepare() -> None:
    import sentry_sdk
    from django.dispatch import Signal
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.transport import Transport

    class InMemory(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            events.extend(item.payload.json for item in envelope.items if item.payload.json)

    state.update(plain=Signal(), caching=Signal(use_caching=True), denied=Signal(), warm=Signal())
    # One that is in use when the class is patched: wsgi.py may be where the package is set up.
    connect_all(state["warm"])
    for _ in range(40):
        state["warm"].send(Sender, book=1, reader=2)
    sentry_sdk.init(
        # An address that nobody listens on: the transport sends nothing.
        dsn="http://key@127.0.0.1:9/1",
        transport=InMemory,
        traces_sample_rate=1.0,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(signals_spans=True, signals_denylist=[state["denied"]])],
    )


class Shelf:
    def receive(self, **kwargs: Any) -> str:
        return "method"

    def __call__(self, **kwargs: Any) -> str:
        return "callable object"


class Sender:
    """Sends."""


shelf = Shelf()


def function(sender: Any, **kwargs: Any) -> str:
    return f"function {sorted(set(kwargs) - {'signal'})}"


def fails(**kwargs: Any) -> None:
    raise LookupError("no such book")


async def later(**kwargs: Any) -> str:
    return "async"


named_partial = functools.partial(function, extra=1)


def connect() -> None:
    for name in ("plain", "caching", "denied"):
        connect_all(state[name])


def connect_all(signal: Any) -> None:
    for receiver in (function, shelf.receive, named_partial):
        signal.connect(receiver)
    signal.connect(shelf, sender=Sender, weak=False)


def observe() -> dict[str, Any]:
    import sentry_sdk

    logging.getLogger("django.dispatch").addHandler(logging.NullHandler())
    seen: dict[str, Any] = {}
    with sentry_sdk.start_transaction(op="test", name="signals"):
        for name in ("plain", "caching", "denied", "warm"):
            seen[name] = observe_sync(state[name])
        seen["async"] = asyncio.run(observe_async(state["plain"]))
    seen["without a transaction"] = answers(state["plain"].send(Sender, book=1))
    seen["spans"] = [spans(event) for event in events]
    return seen


def observe_sync(signal: Any) -> list[Any]:
    # More often than a dispatcher needs to change its way of calling a signal that is sent a lot.
    for _ in range(40):
        answered = signal.send(Sender, book=1, reader=2)
    seen = [answers(answered), signal.has_listeners(Sender)]
    signal.connect(fails)
    try:
        signal.send(Sender, book=1)
    except LookupError as error:
        seen.append(repr(error))
    seen.append(answers(signal.send_robust(Shelf, book=1)))
    signal.disconnect(fails)
    return seen


async def observe_async(signal: Any) -> list[Any]:
    signal.connect(later)
    signal.connect(fails)
    robust = await signal.asend_robust(Sender, book=1)
    signal.disconnect(fails)
    return [answers(robust), answers(await signal.asend(Sender, book=1))]


def answers(responses: Any) -> list[list[str]]:
    """Name each receiver by what the package has wrapped, and its response."""
    named = []
    for receiver, response in responses:
        inner = getattr(receiver, "__wrapped__", receiver)
        name = getattr(inner, "__qualname__", type(inner).__name__)
        named.append([name, "wrapped" if inner is not receiver else "bare", repr(response)])
    return named


def spans(event: dict[str, Any]) -> list[list[Any]]:
    return [
        [event.get("transaction"), span["op"], span["description"].split(" object at ")[0]]
        for span in event.get("spans", [])
    ]
