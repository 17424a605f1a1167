"""Where Signalpost's own signals and an adopted `django.dispatch` differ.

The registry and the calls are the same for both. What differs is here, as one object that a class
of signals carries: `signalpost.django` has the other one.
"""

from __future__ import annotations

from _weakref import ref

from signalpost.dispatch import calls, entries
from signalpost.dispatch.names import receiver_name
from signalpost.dispatch.rows import mark, shown_target
from signalpost.dispatch.signatures import parameters_of
from signalpost.exceptions import ReceiverError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from signalpost.dispatch.entries import Entry
    from signalpost.dispatch.signal import Signal
    from signalpost.dispatch.types import Responses


class Dialect:
    """How Signalpost's own signals do it."""

    #: Take all references before the first call, so that a receiver that dies during the send is
    #: called all the same. Costs 4 % at 100 receivers; up to 16 of them it is free and always so.
    holds_receivers: bool = False
    #: Keep generated code away from receivers that look at their callers' frames.
    minds_frames: bool = False

    def make_ref(self, receiver: Any, when_dead: Callable[[Any], Any]) -> Any:
        return ref(receiver, when_dead)

    def make_id(self, target: Any) -> Any:
        return entries.make_id(target)

    def make_row(self, entry: Entry, sender: Callable[[], Any] | None) -> tuple[Any, ...]:
        """Django 6's ``((receiver_id, sender_id), receiver or ref, sender ref, is_async)``."""
        sender_ref = None if type(sender) is entries.Strong else sender
        row = (entry.key, shown_target(entry), sender_ref, entry.is_async)
        return mark(row, entry, sender)

    def check(self, signal: Signal, receiver: Any) -> None:
        """Refuse a receiver that could not be called: always, not only while debugging."""
        check_callable(signal, receiver)
        if signal._payload is None:
            check_open(signal, receiver)
        check_by_keyword(signal, receiver)

    def run_live(self, signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
        """Send without generated code."""
        return calls.call_all(signal, sender, named)


def check_callable(signal: Signal, receiver: Any) -> None:
    if not callable(receiver):
        # The first sentence is Django's.
        raise ReceiverError(
            f"Signal receivers must be callable. Cannot connect {receiver!r} to signal "
            f"'{signal.name}': pass the function itself, without calling it."
        )


def check_by_keyword(signal: Signal, receiver: Any) -> None:
    positional = parameters_of(receiver).positional
    if positional:
        names = ", ".join(f"'{name}'" for name in positional)
        raise ReceiverError(
            f"Cannot connect '{receiver_name(receiver)}' to signal '{signal.name}': it takes "
            f"{names} by position only, but receivers are called with keywords. Remove the '/' "
            "from its parameters."
        )


def check_open(signal: Signal, receiver: Any) -> None:
    """Refuse a receiver without ``**kwargs`` on a signal that doesn't say what it sends."""
    parameters = parameters_of(receiver)
    if not parameters.takes_others:
        raise ReceiverError(
            "Signal receivers must accept keyword arguments (**kwargs). Cannot connect "
            f"'{receiver_name(receiver)}' to signal '{signal.name}': it accepts {parameters} but "
            "the signal declares no payload and may send anything. Add '**kwargs' to its "
            "parameters, or declare what the signal sends: Signal(providing_args=[...])."
        )


def check_priority(signal: Signal, priority: object) -> None:
    if not isinstance(priority, (int, float)) or priority != priority:  # noqa: PLR0124 - NaN
        raise ReceiverError(
            f"Cannot connect to signal '{signal.name}': priority must be a number, not "
            f"{priority!r}. Higher runs earlier; the default is 0."
        )


def is_ours(signal: object) -> bool:
    """Whether it is a signal of ours, or of an adopted class."""
    return hasattr(type(signal), "_dialect")


def holds_senders(sender: Any) -> bool:
    """Whether the sender is a list of senders: of classes or of models' names.

    Any other list is a sender itself, as any object can be.
    """
    if type(sender) not in (list, tuple, set, frozenset) or not sender:
        return False
    return all(isinstance(each, type) or is_label(each) for each in sender)


def is_label(sender: object) -> bool:
    """Whether it could be a model's name, "app.Model"."""
    if not isinstance(sender, str):
        return False
    app, dot, model = sender.partition(".")
    return bool(dot) and app.isidentifier() and model.isidentifier()


def unpack_row(row: Any) -> tuple[Any, Any, Any, bool]:
    """``(key, receiver or ref, sender ref, is_async)`` of a row made by any version of Django.

    Up to 5.2 a row has three items, from 6.0 on four.
    """
    try:
        (receiver_id, sender_id), target, *sender_ref, is_async = row
        [sender_ref] = sender_ref or [None]
        hash(sender_id)
        if not callable(target) or not (sender_ref is None or callable(sender_ref)):
            raise TypeError  # noqa: TRY301 - one answer to all that is wrong with a row
    except (TypeError, ValueError):
        raise ReceiverError(
            f"Cannot take {row!r} as a row of a signal's receivers: it isn't of the shape that "
            "Django gives them. Connect receivers with signal.connect(...)."
        ) from None
    return (receiver_id, sender_id), target, sender_ref, is_async
