"""The options of `connect`: what each may be, and what it makes of the connection.

Imported at the first connection that has one.
"""

from __future__ import annotations

from difflib import get_close_matches

from signalpost.dispatch import hooks
from signalpost.dispatch.names import receiver_name, signal_name
from signalpost.dispatch.order import Matcher
from signalpost.dispatch.rules import Rules
from signalpost.dispatch.signatures import is_async, parameters_of
from signalpost.exceptions import PayloadError, ReceiverError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from signalpost.dispatch.rules import Call
    from signalpost.dispatch.signal import Signal

    Option: TypeAlias = Callable[["Connecting", Any], None]


class Connecting:
    """A connection that is being made with options, and the rules that they make."""

    __slots__ = ("accepted", "options", "receiver", "rules", "sender", "signal")

    #: What is done once no option has refused the connection.
    accepted: list[Callable[[], object]]
    options: dict[str, Any]
    receiver: Any
    rules: Rules
    sender: Any
    signal: Signal

    def __init__(self, signal: Signal, receiver: Any, sender: Any, options: dict[str, Any]) -> None:
        self.signal = signal
        self.receiver = receiver
        self.sender = sender
        self.options = options
        self.accepted = []
        self.rules = Rules(is_async=is_async(receiver))

    def refusal(self, problem: str) -> ReceiverError:
        """The error that says what is wrong with this connection."""
        return ReceiverError(
            f"Cannot connect '{receiver_name(self.receiver)}' to signal '{signal_name(self.signal)}': "
            f"{problem}"
        )

    def check_flag(self, name: str, value: object) -> None:
        if value is not True and value is not False:
            raise self.refusal(f"{name}={value!r} is neither True nor False.")

    def check_function_of_payload(self, name: str, function: Any) -> None:
        """Refuse what can't be called with the payload, or with what it names of it."""
        example = f"{name}=lambda instance, **kwargs: ..."
        if not callable(function):
            raise self.refusal(
                f"{name}={function!r} can't be called. Pass a function of what is sent: {example}."
            )
        if is_async(function):
            raise self.refusal(f"{name}= is async, but it has to answer at once. Use a `def`.")
        parameters = parameters_of(function)
        if parameters.positional:
            raise self.refusal(f"{name}= is called with keywords only. Write {example}.")
        payload = getattr(self.signal, "_payload", None)
        if payload is None:
            return
        sent: list[str] = list(payload.names)
        lacking = [n for n in parameters.required if n not in ("signal", "sender", *sent)]
        if lacking:
            near = get_close_matches(lacking[0], sent, n=1)
            cure = f" Did you mean '{near[0]}'?" if near else ""
            raise self.refusal(
                f"{name}= needs {_quoted(lacking)}, but the signal sends {payload}.{cure}"
            )


def rules_for(signal: Signal, receiver: Any, sender: Any, options: dict[str, Any]) -> Rules | None:
    """The rules that the options make, or None where they are all at their defaults.

    Raises a ReceiverError for an option that doesn't exist or has a value that it can't have.
    """
    for name in options:
        if name not in DEFAULTS:
            raise _unknown(signal, receiver, name)
    given = {name: value for name, value in options.items() if value is not DEFAULTS[name]}
    if not given:
        return None
    connecting = Connecting(signal, receiver, sender, given)
    for name in DEFAULTS:  # in the order in which the rules are asked
        if name in given:
            option = _OPTIONS.get(name) or hooks.options.get(name)
            if option is None:
                raise connecting.refusal(
                    f"{name}= needs Signalpost's Django app. List 'signalpost.django' in "
                    "INSTALLED_APPS, or call signalpost.django.adopt() first."
                )
            option(connecting, given[name])
    while connecting.accepted:  # emptied, since they refer to it
        connecting.accepted.pop(0)()
    connecting.rules.options = given
    return connecting.rules


def passed(function: Any, call: Call, what: str) -> Any:
    """Call a function of the payload with what it names of it."""
    values = call.values()
    parameters = parameters_of(function)
    lacking = [name for name in parameters.required if name not in values]
    if lacking:
        raise PayloadError(
            f"{what} of '{receiver_name(call.receiver)}' needs {_quoted(lacking)}, but signal "
            f"'{signal_name(call.signal)}' was sent with {_quoted(values)}."
        )
    if parameters.takes_others:
        return function(**values)
    return function(**{name: values[name] for name in parameters.names if name in values})


def _skip_raw(connecting: Connecting, value: Any) -> None:
    connecting.check_flag("skip_raw", value)
    payload = getattr(connecting.signal, "_payload", None)
    if payload is not None and "raw" not in payload.names:
        raise connecting.refusal(
            f"skip_raw= is about an argument 'raw', but the signal sends {payload}. Leave it out."
        )
    connecting.rules.conditions.append(_is_not_raw)


def _is_not_raw(call: Call) -> bool:
    return not call.named.get("raw", False)


def _when(connecting: Connecting, value: Any) -> None:
    connecting.check_function_of_payload("when", value)
    connecting.rules.conditions.append(lambda call: bool(passed(value, call, "when=")))


def _reentrant(connecting: Connecting, value: Any) -> None:
    connecting.check_flag("reentrant", value)
    connecting.rules.reentrant = value


def _on_error(connecting: Connecting, value: Any) -> None:
    if value not in ("raise", "log"):
        raise connecting.refusal(f'on_error={value!r} is neither "raise" nor "log".')
    connecting.rules.on_error = value


def _subclasses(connecting: Connecting, value: Any) -> None:
    connecting.check_flag("subclasses", value)
    sender = connecting.sender
    if not isinstance(sender, type) and not isinstance(sender, str):
        problem = "without a sender it is called for all anyway"
        if sender is not None:
            problem = f"the sender is {sender!r}, not a class"
        raise connecting.refusal(
            f"subclasses= means the subclasses of the sender, but {problem}. "
            "Name a class as the sender, or leave it out."
        )
    connecting.rules.subclasses = value


def _before(connecting: Connecting, value: Any) -> None:
    connecting.rules.before = _matchers(connecting, "before", value)


def _after(connecting: Connecting, value: Any) -> None:
    connecting.rules.after = _matchers(connecting, "after", value)


def _matchers(connecting: Connecting, name: str, value: Any) -> tuple[Matcher, ...]:
    several: list[Any] = [value]
    if type(value) in (list, tuple, set, frozenset):
        several = list(value)
    for each in several:
        if not isinstance(each, str) and not callable(each):
            raise connecting.refusal(
                f"{name}={each!r} is neither a receiver nor the name of one. "
                f"Pass the function, or its name: {name}='app.receivers.function'."
            )
    return tuple(Matcher(each) for each in several)


def _unknown(signal: Signal, receiver: Any, name: str) -> ReceiverError:
    known = ("sender", "weak", "dispatch_uid", "priority", *DEFAULTS)
    near = get_close_matches(name, known, n=1)
    cure = f"Did you mean '{near[0]}'?" if near else f"The options are {', '.join(known)}."
    return ReceiverError(
        f"Cannot connect '{receiver_name(receiver)}' to signal '{signal_name(signal)}': "
        f"there is no option '{name}'. {cure}"
    )


def _quoted(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)


# In the order in which they are looked at, with their defaults.
DEFAULTS: dict[str, Any] = {
    "subclasses": False,
    "before": None,
    "after": None,
    "skip_raw": False,
    "fields": None,
    "when": None,
    "bulk": False,
    "on_commit": False,
    "coalesce": None,
    "durable": False,
    "aliases": None,
    "max_attempts": None,
    "backoff": None,
    "queue": None,
    "key": None,
    "on_failure": None,
    "atomic": False,
    "timeout": None,
    "delay": None,
    "on_missing": None,
    "using": None,
    "reentrant": True,
    "on_error": "raise",
}
_OPTIONS: dict[str, Option] = {
    "subclasses": _subclasses,
    "before": _before,
    "after": _after,
    "skip_raw": _skip_raw,
    "when": _when,
    "reentrant": _reentrant,
    "on_error": _on_error,
}
