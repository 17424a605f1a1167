"""Signalpost's dispatcher on `django.dispatch.Signal`: all contact with Django's private names.

The class stays the object that it is; its methods become ours. A method that somebody replaced
before (sentry-sdk does, on `_live_receivers`) is left alone, and finds the attributes that Django's
methods read: `receivers`, `lock`, `use_caching`, `sender_receivers_cache`, `_dead_receivers`.
"""

from __future__ import annotations

import weakref
from types import FunctionType
from typing import TYPE_CHECKING, Any, Unpack

import django
from django.db.models.signals import ModelSignal
from django.dispatch import dispatcher

from signalpost.dispatch import calls, takeover
from signalpost.dispatch.attributes import SignalAttributes
from signalpost.dispatch.dialect import (
    Dialect,
    check_by_keyword,
    check_callable,
    check_open,
    holds_senders,
)
from signalpost.dispatch.options import rules_for
from signalpost.dispatch.outcomes import Failure, Outcome
from signalpost.dispatch.senders import connect_each, disconnect_each
from signalpost.dispatch.signal import Signal
from signalpost.dispatch.takeover import registry_of, take_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from signalpost.dispatch.entries import Entry
    from signalpost.dispatch.types import ConnectOptions, Receiver, Responses

# What a plan's run returns to have the receivers called from `send`'s own frame.
IN_FRAME: Responses = []

_live_receivers = Signal._live_receivers


class DjangoDialect(Dialect):
    """How Django does it, where that differs from ours."""

    holds_receivers: bool = True
    minds_frames: bool = True

    def make_ref(self, receiver: Any, when_dead: Callable[[Any], Any]) -> Any:
        # Looked up at each call: Django's own tests replace it, to see that it is called.
        return weakref.ref(receiver, when_dead)

    def make_id(self, target: Any) -> Any:
        # Looked up at each call: Django's own tests replace it.
        return dispatcher._make_id(target)  # type: ignore[attr-defined]  # private

    def make_row(self, entry: Entry, sender: Callable[[], Any] | None) -> tuple[Any, ...]:
        row = super().make_row(entry, sender)
        if django.VERSION >= (6, 0):
            return row
        key, target, _, is_async = row
        return (key, target, is_async)

    def check(self, signal: Signal, receiver: Any) -> None:
        """As Django: only under DEBUG, unless the signal declares its payload."""
        from django.conf import settings

        declared = signal._payload is not None
        debug = settings.configured and settings.DEBUG
        if declared or debug:
            check_callable(signal, receiver)
        if declared:
            check_by_keyword(signal, receiver)
        if debug and not declared:
            check_open(signal, receiver)

    def run_live(self, signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
        return IN_FRAME


def send(self: Signal, sender: Any, **named: Any) -> Responses:
    try:
        run = self._run
    except AttributeError:
        take_over(self)
        run = self._run
    if run is None:
        return []
    # sentry-sdk and others replace it on the class, at any time.
    if type(self)._live_receivers is _live_receivers:
        answer = run(self, sender, named)
        if answer is not IN_FRAME:
            return answer
    if self._looped:
        return calls.call_all(self, sender, named)
    # The loop once more, in this frame: as far from the receivers as Django's, for those that warn
    # with a `stacklevel` (Django's `complex_setting_changed` does).
    sync, asynchronous = self._live_receivers(sender)
    if type(sync) is list and len(sync) == 1 and not asynchronous:
        receiver = sync[0]
        return [(receiver, receiver(signal=self, sender=sender, **named))]
    if asynchronous:
        calls.refuse_running_loop(self, asynchronous)
    responses: Responses = []
    # Merged once, not for each receiver: 100 ns of each, on 3.11 and 3.13.
    every = {"signal": self, "sender": sender, **named}
    twice = "signal" in named
    for receiver in sync:
        if twice:  # let Python refuse it
            receiver(signal=self, sender=sender, **named)
        response = receiver(**every)
        responses.append((receiver, response))
    return (
        responses + calls.await_each_from_sync(asynchronous, self, sender, named, None)
        if asynchronous
        else responses
    )


def send_robust(self: Signal, sender: Any, **named: Any) -> Responses:
    if self._looped:
        return calls.call_all(self, sender, named, self._log_robust_failure)
    if not registry_of(self).count:
        return []
    sync, asynchronous = self._live_receivers(sender)
    if asynchronous:
        calls.refuse_running_loop(self, asynchronous)
    responses: Responses = []
    for receiver in sync:  # in this frame, as in `send`
        try:
            response = receiver(signal=self, sender=sender, **named)
        except Exception as error:  # noqa: BLE001 - the point of send_robust
            self._log_robust_failure(receiver, error)
            responses.append(Failure(receiver, error))
        else:
            responses.append(Outcome(receiver, response))
    if asynchronous:
        log = self._log_robust_failure
        responses += calls.await_each_from_sync(asynchronous, self, sender, named, log)
    return responses


send.__doc__ = Signal.send.__doc__
send_robust.__doc__ = Signal.send_robust.__doc__


def connect(
    self: Signal,
    receiver: Receiver,
    sender: Any = None,
    weak: bool = True,
    dispatch_uid: Any = None,
    *,
    priority: float = 0,
    **options: Unpack[ConnectOptions],
) -> None:
    Signal.connect(self, receiver, sender, weak, dispatch_uid, priority=priority, **options)


connect.__doc__ = Signal.connect.__doc__
# Django's check of lazy references to models knows a connection by this, and calls it one.
connect.__module__ = dispatcher.__name__


def _remove_receiver(self: Signal, receiver: Any = None) -> None:
    # What Django 5.2's finalizers of earlier connections call.
    self._flag_dead_receivers()


def connect_model_signal(
    self: Any,
    receiver: Receiver,
    sender: Any = None,
    weak: bool = True,
    dispatch_uid: Any = None,
    apps: Any = None,
    **options: Any,
) -> None:
    """As Django's `ModelSignal.connect`, with the options of ours passed on."""
    if holds_senders(sender):
        connect_each(self, receiver, sender, weak, dispatch_uid, {"apps": apps, **options})
        return
    rules = {name: value for name, value in options.items() if name != "priority"}
    if rules:
        rules_for(self, receiver, sender, rules)  # at once, not when the sender is loaded
    self._lazy_method(
        dispatcher.Signal.connect.__get__(self),
        apps,
        receiver,
        sender,
        weak=weak,
        dispatch_uid=dispatch_uid,
        **options,
    )


def disconnect_model_signal(
    self: Any,
    receiver: Receiver | None = None,
    sender: Any = None,
    dispatch_uid: Any = None,
    apps: Any = None,
) -> bool | None:
    """As Django's `ModelSignal.disconnect`, of several senders too."""
    if holds_senders(sender):
        return disconnect_each(self, receiver, sender, dispatch_uid, {"apps": apps})
    disconnect = dispatcher.Signal.disconnect.__get__(self)
    answer: bool | None = self._lazy_method(
        disconnect, apps, receiver, sender, dispatch_uid=dispatch_uid
    )
    return answer


OURS: dict[str, Any] = {
    **{
        name: value
        for name, value in {**vars(SignalAttributes), **vars(Signal)}.items()
        if not name.startswith("__")
        or name in {"__copy__", "__init__", "__repr__", "__setattr__", "__delattr__"}
    },
    "_dialect": DjangoDialect(),
    "_remove_receiver": _remove_receiver,
    "connect": connect,
    "send": send,
    "send_robust": send_robust,
}


def is_adopted() -> bool:
    return isinstance(vars(dispatcher.Signal).get("_dialect"), DjangoDialect)


def adopt_dispatcher() -> bool:
    if is_adopted():
        return False
    cls = dispatcher.Signal
    if not _is_djangos(vars(cls)["_live_receivers"]):
        # Django's own will read the list at each send: as an attribute of each signal, with none of
        # the class, that takes 20 ns less (1 % of a send to one receiver).
        takeover.shows_rows = _reads_rows
    for name, value in OURS.items():
        if name == "receivers" and takeover.shows_rows is not None:
            continue
        if name not in vars(cls) or name.startswith("__") or _is_djangos(vars(cls)[name]):
            setattr(cls, name, value)
    if _is_djangos(vars(ModelSignal)["connect"], "django.db.models.signals"):
        ModelSignal.connect = connect_model_signal  # type: ignore[method-assign]  # adoption
    if _is_djangos(vars(ModelSignal)["disconnect"], "django.db.models.signals"):
        ModelSignal.disconnect = disconnect_model_signal  # type: ignore[method-assign]
    return True


def _reads_rows(signal: Any) -> bool:
    """Whether its sends may come to Django's own `_live_receivers`."""
    return signal.__class__._live_receivers is not _live_receivers


def _is_djangos(function: Any, module: str = "django.dispatch.dispatcher") -> bool:
    """Whether it is Django's own, not one that was put in its place.

    By its globals: a wrapper made with functools.wraps has the wrapped one's name and module. And
    by its type: wrapt's have its globals too.
    """
    return (
        type(function) is FunctionType
        and getattr(function, "__globals__", {}).get("__name__") == module
    )
