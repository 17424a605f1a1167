"""``coalesce=``: of several calls with one key in a transaction, the last one that commits.

Each call is registered with the transaction, which drops those of a savepoint that is rolled back;
a weak reference to each tells, at the commit, which are left. The last of them runs.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from signalpost.dispatch.names import receiver_name, signal_name
from signalpost.dispatch.options import passed
from signalpost.exceptions import PayloadError

if TYPE_CHECKING:
    from signalpost.delivery.on_commit import Transactions
    from signalpost.dispatch.options import Connecting
    from signalpost.dispatch.rules import Call


class Later:
    """A call that waits for the commit, alive for as long as the transaction keeps it."""

    __slots__ = ("__weakref__", "call", "key", "savepoints", "waiting")

    call: Call | None
    key: Any
    savepoints: frozenset[Any]
    waiting: dict[Any, Any]

    def __init__(
        self, call: Call, savepoints: frozenset[Any], waiting: dict[Any, Any], key: Any
    ) -> None:
        self.call = call
        self.savepoints = savepoints
        self.waiting = waiting
        self.key = key

    def __call__(self) -> None:
        """Run, unless a later call with the same key has lived to see the commit."""
        if self.call is None:
            return
        references = self.waiting.get(self.key, ())
        alive = [later for reference in references if (later := reference()) is not None]
        if self in alive and self is not alive[-1]:
            return
        self.waiting.pop(self.key, None)
        self.call.run_later()


class Coalescing:
    """The calls of one receiver that wait, by connection and key."""

    def __init__(self, key_of: Callable[[Call], Any]) -> None:
        self.key_of = key_of
        self.waiting: weakref.WeakKeyDictionary[Any, dict[Any, list[weakref.ref[Later]]]] = (
            weakref.WeakKeyDictionary()
        )

    def register(self, transactions: Transactions, using: str, key: Any, call: Call) -> None:
        """Have the call run after the commit, in the place of those before it with this key."""
        waiting = self.waiting.setdefault(transactions.connection(using), {})
        savepoints = transactions.savepoints(using)
        later = Later(call, savepoints, waiting, key)
        kept: list[weakref.ref[Later]] = []
        for reference in waiting.get(key, ()):
            earlier = reference()
            if earlier is None:
                continue
            # What drops the new call drops the earlier one too, so that is needed no more. Its
            # payload goes now: a transaction may save one row a million times.
            if savepoints <= earlier.savepoints:
                earlier.call = None
            else:
                kept.append(reference)
        waiting[key] = [*kept, weakref.ref(later)]
        transactions.on_commit(later, using)


def key_function(connecting: Connecting, value: Any) -> Callable[[Call], Any]:
    """What gives a call's key: from a path into the payload, or a function of it."""
    key_of = path_function(connecting, "coalesce", value)
    return lambda call: _hashable(call, key_of(call))


def path_function(connecting: Connecting, option: str, value: Any) -> Callable[[Call], Any]:
    """What gives the value at a path into the payload, or what a function of it answers."""
    if not isinstance(value, str):
        connecting.check_function_of_payload(option, value)
        return lambda call: passed(value, call, f"{option}=")
    parts = value.split(".")
    if not all(part.isidentifier() for part in parts):
        raise connecting.refusal(
            f"{option}={value!r} is no path into the payload. "
            f'Write {option}="instance.pk", or pass a function.'
        )
    payload = getattr(connecting.signal, "_payload", None)
    if payload is not None and parts[0] not in ("sender", *payload.names):
        raise connecting.refusal(
            f"{option}={value!r} begins with '{parts[0]}', but the signal sends {payload}."
        )
    return lambda call: _follow(call, option, parts)


def _follow(call: Call, option: str, parts: list[str]) -> Any:
    path = ".".join(parts)
    try:
        value = call.values()[parts[0]]
        for part in parts[1:]:
            value = getattr(value, part)
    except (KeyError, AttributeError) as error:
        raise PayloadError(
            f"{option}='{path}' of '{receiver_name(call.receiver)}' can't be followed in what "
            f"signal '{signal_name(call.signal)}' was sent with: {error!r}."
        ) from error
    return value


def _hashable(call: Call, key: Any) -> Any:
    try:
        hash(key)
    except TypeError:
        raise PayloadError(
            f"coalesce= of '{receiver_name(call.receiver)}' gave {key!r}, which can't be a key: it "
            "isn't hashable. Give a number, a string or a tuple of them."
        ) from None
    return key
