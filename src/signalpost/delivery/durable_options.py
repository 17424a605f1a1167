"""The options of `connect` that are about durable delivery."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from signalpost.delivery import receivers
from signalpost.delivery.coalescing import path_function
from signalpost.delivery.durable import NAME_LENGTH, Databases, Durable, Recording
from signalpost.delivery.moments import refuse_before_the_change
from signalpost.delivery.retrying import LONGEST, backoff_from
from signalpost.dispatch.names import receiver_name, signal_name
from signalpost.dispatch.signatures import is_async
from signalpost.exceptions import PayloadError

if TYPE_CHECKING:
    from signalpost.dispatch.options import Connecting
    from signalpost.dispatch.rules import Call

#: What the column of attempts holds.
MOST_ATTEMPTS = 32_000
_BLOCK, _SKIP, _FAIL = "block", "skip", "fail"


def durable(databases: Databases, connecting: Connecting, value: Any) -> None:
    """``durable=True``, or the key that the receiver's deliveries are stored under."""
    if value is not True and (not isinstance(value, str) or not value):
        raise connecting.refusal(
            f"durable={value!r} is neither True nor the key that its deliveries are stored under, "
            'such as "shop.send_receipt".'
        )
    if "on_error" in connecting.options:
        raise connecting.refusal(
            "on_error= makes no sense with durable=: what the receiver raises reaches no sender, it "
            "is retried. Leave on_error out; see max_attempts= and backoff=."
        )
    refuse_before_the_change(connecting, "durable")
    rules = connecting.rules
    if rules.deliver is not None:
        raise connecting.refusal(
            "on_commit= and durable= exclude each other: a durable receiver runs after the commit "
            "anyway. Leave on_commit out."
        )
    made = Durable(databases, connecting.signal, connecting.receiver, rules)
    if isinstance(value, str):
        made.key = value
    elif not _is_found_again(connecting.receiver):
        raise connecting.refusal(
            "its deliveries are stored under its name, and this one has none to be found again by. "
            'Define it at the top level of a module, or declare a key: durable="shop.send_receipt".'
        )
    _check_length(connecting, "key", made.key)
    rules.deliver = made
    rules.preparations.append(made.prepare)
    conditions = list(rules.conditions)
    if conditions:
        rules.conditions[:] = [lambda call: Recording.of(call).wants(call, conditions)]
    connecting.accepted.append(partial(_accept, connecting, made))


def _accept(connecting: Connecting, made: Durable) -> None:
    _refuse_unnamed(connecting)
    other = receivers.conflicting(made)
    if other is not None:
        raise connecting.refusal(
            f"its key '{made.key}' is that of '{receiver_name(other.receiver)}' too, so a delivery "
            'would not know whose it is. Declare another: durable="...".'
        )
    receivers.remember(made)


def aliases(connecting: Connecting, value: Any) -> None:
    """``aliases=["shop.old_name"]``: keys that the receiver had before."""
    several: Any = value
    given: tuple[Any, ...] = ()
    if isinstance(value, (list, tuple, set, frozenset)):
        given = tuple(several)
    if not given or not all(isinstance(each, str) and each for each in given):
        raise connecting.refusal(
            f"aliases={value!r} is no list of keys that the receiver had before. "
            'Write aliases=["shop.receivers.old_name"].'
        )
    for each in given:
        _check_length(connecting, "alias", each)
    _durable(connecting, "aliases").options.aliases = given


def max_attempts(connecting: Connecting, value: Any) -> None:
    """``max_attempts=12``: how often it is begun before the delivery is dead."""
    if type(value) is not int or not 1 <= value <= MOST_ATTEMPTS:
        raise connecting.refusal(
            f"max_attempts={value!r} is no number from 1 to {MOST_ATTEMPTS:,}."
        )
    _durable(connecting, "max_attempts").options.max_attempts = value


def backoff(connecting: Connecting, value: Any) -> None:
    """``backoff=[10, 60, 600]``: seconds after each attempt, or a function of its number."""
    found = backoff_from(value)
    if found is None:
        raise connecting.refusal(
            f"backoff={value!r} is neither seconds, nor a list of them, nor a function of the "
            "attempt. Write backoff=[10, 60, 600], say."
        )
    if callable(value) and not _takes_one(value):
        raise connecting.refusal(
            "backoff= is called with the number of the attempt, which it doesn't take, or is async. "
            "Write backoff=lambda attempt: 60 * attempt, say."
        )
    _durable(connecting, "backoff").options.backoff = found


def queue(connecting: Connecting, value: Any) -> None:
    """``queue="mail"``: a lane of its own, which a worker may be kept for."""
    if not isinstance(value, str) or not value or not value.isprintable() or len(value) > 100:  # noqa: PLR2004 - the column's width
        raise connecting.refusal(f"queue={value!r} is no name of at most 100 characters.")
    _durable(connecting, "queue").options.queue = value


def key(connecting: Connecting, value: Any) -> None:
    """``key="order.pk"``: deliveries of one key run one after the other, in their order."""
    made = _durable(connecting, "key")
    made.options.key_of = partial(_key_text, path_function(connecting, "key", value))


def on_failure(connecting: Connecting, value: Any) -> None:
    """``on_failure="block"`` or ``"skip"``: whether one that failed holds up those of its key."""
    if value not in (_BLOCK, _SKIP):
        raise connecting.refusal(f'on_failure={value!r} is neither "block" nor "skip".')
    made = _durable(connecting, "on_failure")
    if made.options.key_of is None:
        raise connecting.refusal(
            "on_failure= is about those of the same key, so it needs key=. Add that, or leave it out."
        )
    made.options.blocks = value == _BLOCK


def atomic(connecting: Connecting, value: Any) -> None:
    """``atomic=True``: its work in the same database and the delivery are one transaction."""
    connecting.check_flag("atomic", value)
    if value and connecting.rules.is_async:
        raise connecting.refusal(
            "atomic= needs a transaction, which Django has for sync code only. Use a `def`."
        )
    _durable(connecting, "atomic").options.atomic = value


def timeout(connecting: Connecting, value: Any) -> None:
    """``timeout=30``: seconds after which a run is stopped and counts as failed."""
    _durable(connecting, "timeout").options.timeout = _seconds(connecting, "timeout", value)


def delay(connecting: Connecting, value: Any) -> None:
    """``delay=60``: seconds from the send until it is due."""
    _durable(connecting, "delay").options.delay = _seconds(connecting, "delay", value)


def on_missing(connecting: Connecting, value: Any) -> None:
    """``on_missing="skip"`` or ``"fail"``: what if a model instance is gone when it is delivered."""
    if value not in (_SKIP, _FAIL):
        raise connecting.refusal(f'on_missing={value!r} is neither "skip" nor "fail".')
    _durable(connecting, "on_missing").options.missing = value


def using(connecting: Connecting, value: Any) -> None:
    """``using="orders"``: the database it is recorded in, where the signal sends none."""
    if not isinstance(value, str):
        raise connecting.refusal(f"using={value!r} is no alias of a database.")
    _durable(connecting, "using").options.using = value


def _durable(connecting: Connecting, name: str) -> Durable:
    deliver = connecting.rules.deliver
    if not isinstance(deliver, Durable):
        raise connecting.refusal(
            f"{name}= is about durable deliveries. Add durable=True, or leave it out."
        )
    return deliver


def _seconds(connecting: Connecting, name: str, value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value <= LONGEST:
        raise connecting.refusal(
            f"{name}={value!r} is no number of seconds up to {LONGEST:,.0f}, a year. Write {name}=30, "
            "say."
        )
    return float(value)


def _check_length(connecting: Connecting, what: str, text: str) -> None:
    if len(text) > NAME_LENGTH:
        raise connecting.refusal(
            f"its {what} has {len(text)} characters, and {NAME_LENGTH} are stored."
        )


def _refuse_unnamed(connecting: Connecting) -> None:
    # Looked at again when it is sent: a signal may get its variable after this.
    name = signal_name(connecting.signal)
    if "<" not in name:
        _check_length(connecting, "signal's name", name)


def _is_found_again(receiver: Any) -> bool:
    name = receiver_name(receiver)
    return "<" not in name and " " not in name and "(" not in name


def _key_text(key_of: Callable[[Call], Any], call: Call) -> str:
    key: object = key_of(call)
    text = _text(key)
    if text is None or len(text) > NAME_LENGTH or not text.isprintable():
        kind = type(key)
        what = "None" if key is None else f"a {kind.__module__}.{kind.__qualname__}"
        raise PayloadError(
            f"key= of '{receiver_name(call.receiver)}' gave {what.replace('builtins.', '')}, which "
            "can't order deliveries: give a number, a printable text of at most "
            f"{NAME_LENGTH} characters, or a tuple of such."
        )
    return text


def _text(key: Any) -> str | None:
    """The text of what has one for good; an instance's is whatever its class makes of it just now."""
    if isinstance(key, Enum):
        return _text(key.value)
    if isinstance(key, (str, int, UUID, Decimal, date)):
        return str(key)
    parts: Any = key
    if isinstance(key, tuple) and parts:
        texts = [_text(each) for each in parts]
        return None if None in texts else repr(tuple(texts))
    return None


def _takes_one(function: Any) -> bool:
    """Whether the function can be called with one argument, and answers at once."""
    if is_async(function):
        return False
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # one of C, without a signature: it may
        return True
    try:
        signature.bind(1)
    except TypeError:
        return False
    return True
