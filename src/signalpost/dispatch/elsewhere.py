"""Connecting with options to a signal that isn't ours: Django's own, where it isn't adopted."""

from __future__ import annotations

from signalpost.dispatch.entries import make_id, refer_to
from signalpost.dispatch.options import DEFAULTS, rules_for
from signalpost.dispatch.ruled import RuledTarget
from signalpost.exceptions import ReceiverError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What a connection can do by itself; the rest takes a registry that knows of it.
BY_ITSELF: frozenset[str] = frozenset(
    {"when", "skip_raw", "reentrant", "on_error", "on_commit", "coalesce", "durable"}
)
# These are ours beside `durable` only: to another signal they may mean something of its own.
WITH_DURABLE: frozenset[str] = frozenset(
    {
        *("aliases", "max_attempts", "backoff", "queue", "key", "on_failure", "atomic", "timeout"),
        *("delay", "on_missing", "using"),
    }
)


def connect_elsewhere(signal: Any, receiver: Any, options: dict[str, Any]) -> None:
    """Connect a function that calls the receiver as the options say, in the receiver's name."""
    known = {*DEFAULTS, "priority"}
    if not options.get("durable"):
        known -= WITH_DURABLE
    ours = {name: value for name, value in options.items() if name in known}
    others = {name: value for name, value in options.items() if name not in ours}
    if not ours:
        signal.connect(receiver, **options)  # whatever it knows
        return
    missing = sorted(set(ours) - BY_ITSELF - WITH_DURABLE)
    if missing:
        raise ReceiverError(
            f"Cannot connect {receiver!r} with {missing[0]}= to {signal!r}, which isn't "
            "Signalpost's: that option needs django.dispatch to be adopted. List "
            "'signalpost.django' in INSTALLED_APPS, without SIGNALPOST['ADOPT'] = False."
        )
    rules = rules_for(signal, receiver, options.get("sender"), ours)
    if rules is None:
        signal.connect(receiver, **others)
        return
    weak = options.get("weak", True)
    target = RuledTarget(refer_to(receiver, _ignore, weak=weak), rules)
    call: Any = _async_call if rules.is_async and rules.deliver is None else _call
    # Under the receiver's own identity, so that the receiver can be disconnected.
    uid = options.get("dispatch_uid") or make_id(receiver)
    signal.connect(call(target), **{**others, "weak": False, "dispatch_uid": uid})


def _call(target: RuledTarget) -> Any:
    def receive(signal: Any, sender: Any, **named: Any) -> Any:
        ruled = target()
        return None if ruled is None else ruled(signal=signal, sender=sender, **named)

    return receive


def _async_call(target: RuledTarget) -> Any:
    async def receive(signal: Any, sender: Any, **named: Any) -> Any:
        ruled = target()
        return None if ruled is None else await ruled(signal=signal, sender=sender, **named)

    return receive


def _ignore(reference: object) -> None:
    """The connection of a receiver that is gone stays, and does nothing."""
