"""One delivery: its receiver is found, its payload restored, the receiver called, the outcome named."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

from signalpost.delivery import receivers
from signalpost.delivery.body import VERSION, Opened
from signalpost.delivery.codec import Missing, Reading
from signalpost.delivery.context import Delivery, become_sender
from signalpost.delivery.retrying import LONGEST
from signalpost.delivery.store import DEAD, DONE, READY, WORKER_LOST, Finished, Owed
from signalpost.dispatch.rules import Call
from signalpost.dispatch.signatures import parameters_of
from signalpost.exceptions import DeliveryTimeout, GiveUp, PayloadUnreadable, Retry

if TYPE_CHECKING:
    from signalpost.delivery.durable import Durable, Options
    from signalpost.dispatch.signatures import Parameters

#: Of an error's text that is kept, in characters.
ERROR_LENGTH = 2000
REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class Policy:
    """How deliveries are run, whoever they are for."""

    #: The database that the rows are in, which instances are fetched from.
    using: str | None = None
    #: Seconds until a delivery whose receiver isn't connected here is looked at again.
    park: float = 300.0
    #: Arguments whose values aren't to be seen in errors.
    sensitive: frozenset[str] = frozenset()


class Target(NamedTuple):
    """A receiver that deliveries of a claim are for, and what it accepts: looked at once for all."""

    durable: Durable
    parameters: Parameters
    is_async: bool

    @classmethod
    def find(cls, key: str, topic: str) -> Target | None:
        """That of the receiver which is connected under the key to the signal of that name."""
        durable = receivers.find(key, topic)
        rules = None if durable is None else durable.rules
        if durable is None or rules is None:
            return None
        return cls(durable, parameters_of(durable.receiver), rules.is_async)


@dataclass(slots=True)
class Ready:
    """A delivery whose receiver is known and whose payload is restored."""

    owed: Owed
    durable: Durable
    call: Call
    context: Mapping[str, Any]
    hops: int


class _Restored(Call):
    """A call of which it is known what the receiver is passed."""

    __slots__ = ("arguments",)

    arguments: dict[str, Any]

    def invoke(self) -> Any:
        return self.receiver(**self.arguments)


def parked(owed: Owed, policy: Policy) -> Finished:
    """What becomes of a delivery that can't be run here, but may be elsewhere: its attempt isn't used.

    Its receiver isn't connected, or the message is written by a newer version.
    """
    if owed.version > VERSION:
        problem = (
            f"The message has version {owed.version}, and this worker reads {VERSION}. Upgrade the "
            "workers before the senders. Looked at again later."
        )
    else:
        problem = (
            f"No receiver '{owed.receiver}' is connected to signal '{owed.topic}' in this worker. Was "
            "it renamed? Then declare aliases=. Looked at again later."
        )
    return Finished(owed, READY, problem, policy.park, returned=True)


def restore(owed: Owed, target: Target, policy: Policy) -> Ready | Finished:
    """The delivery for this receiver, ready to be run, or what becomes of it without."""
    durable = target.durable
    if not durable.is_connected or owed.version > VERSION:
        return parked(owed, policy)
    try:
        return _restore(owed, target, policy)
    except Missing as missing:
        if durable.options.missing == "skip":
            return Finished(owed, DONE, f"skipped: {missing}")
        return Finished(owed, DEAD, f"{missing}")
    except PayloadUnreadable as error:
        return Finished(owed, DEAD, bounded(f"PayloadUnreadable: {error}"))
    except Exception as error:  # noqa: BLE001 - a registered type's, or the database's: it may pass
        # Without its text, which may quote the payload.
        return _again(owed, durable.options, f"The payload can't be restored: {_class_of(error)}")


def _restore(owed: Owed, target: Target, policy: Policy) -> Ready:
    durable, parameters = target.durable, target.parameters
    receiver, signal, rules = durable.receiver, durable.signal, durable.rules
    opened = Opened(owed.body, owed.headers, owed.version)
    reading = Reading(policy.using)
    # Without a declared payload a receiver is passed all that is sent: Django's rule.
    takes_all = parameters.takes_others or getattr(signal, "_payload", None) is None
    named = opened.named(reading, None if takes_all else parameters.names)
    call = _Restored(receiver, rules, signal, opened.sender(reading), named)  # type: ignore[arg-type]  # alive: it was found
    call.added = opened.added(owed.receiver, reading)
    context = MappingProxyType(opened.context(reading))
    takes_others, names = parameters.takes_others, parameters.names
    # What the signal itself sends under the name is what its receivers know by it.
    if "delivery" not in named and (takes_others or "delivery" in names):
        call.added["delivery"] = Delivery(
            id=idempotency_key(owed.uid, owed.receiver),
            attempt=owed.attempts,
            max_attempts=owed.max_attempts,
            recorded_at=owed.created_at,
            signal=owed.topic,
            receiver=owed.receiver,
            queue=owed.lane,
            key=owed.key,
            context=context,
        )
    values = call.values()
    if not takes_others:
        kept = {*names, "signal", "sender", *named} if takes_all else {*names}
        values = {name: value for name, value in values.items() if name in kept}
    call.arguments = values
    return Ready(owed, durable, call, context, opened.hops)


def run(ready: Ready) -> None:
    """Call the receiver, in a context that is left behind; whatever it raises is raised."""
    become_sender(ready.context, ready.hops + 1)
    ready.call.run()


async def arun(ready: Ready) -> None:
    """Await the receiver, in a context that is left behind; whatever it raises is raised."""
    become_sender(ready.context, ready.hops + 1)
    awaited: Awaitable[Any] = ready.call.arun()
    await awaited


def lost(owed: Owed) -> Finished:
    """What becomes of a delivery that ran when its worker, or the database, was lost."""
    state = DEAD if owed.attempts >= owed.max_attempts else READY
    return Finished(owed, state, WORKER_LOST)


def late(ready: Ready) -> DeliveryTimeout:
    """The failure of a receiver that wasn't through in time."""
    return DeliveryTimeout(
        f"It ran longer than its timeout of {ready.durable.options.timeout:g} s."
    )


def failed(ready: Ready, error: BaseException, policy: Policy) -> Finished:
    """What becomes of a delivery whose receiver has raised."""
    owed, options = ready.owed, ready.durable.options
    text = describe(error, ready, policy)
    if isinstance(error, GiveUp):
        return Finished(owed, DEAD, text)
    return _again(owed, options, text, error.after if isinstance(error, Retry) else None)


def _again(owed: Owed, options: Options, text: str, after: float | None = None) -> Finished:
    """Run again after so many seconds, or as the backoff says; dead if its attempts are used up."""
    if owed.attempts >= owed.max_attempts:
        return Finished(owed, DEAD, text)
    try:
        wait = float(options.backoff(owed.attempts) if after is None else after)
    except Exception as problem:  # noqa: BLE001 - the user's function must not stop the worker
        text, wait = bounded(f"{text} (and backoff= raised {problem!r})"), 60.0
    return Finished(owed, READY, text, min(max(0.0, wait), LONGEST))


def describe(error: BaseException, ready: Ready, policy: Policy) -> str:
    """The error's class and text, without the values of sensitive arguments."""
    name = _class_of(error)
    try:
        text = f"{name}: {error}"
    except Exception:  # noqa: BLE001 - it may raise anything
        text = name
    where = traceback.extract_tb(error.__traceback__)
    if where:
        text += f" (at {where[-1].filename}:{where[-1].lineno} in {where[-1].name})"
    return bounded(redacted(text, ready.call.named, policy.sensitive))


def _class_of(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def redacted(text: str, named: Mapping[str, Any], sensitive: Iterable[str]) -> str:
    """The text without the values of the sensitive arguments."""
    for name in sensitive:
        value = named.get(name)
        if isinstance(value, (str, int)) and str(value):
            text = text.replace(str(value), REDACTED)
    return text


def bounded(text: str) -> str:
    """The text as far as it is kept; NUL, which PostgreSQL has no room for, is shown."""
    text = text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= ERROR_LENGTH else f"{text[: ERROR_LENGTH - 1]}…"


def idempotency_key(uid: UUID, receiver: str) -> UUID:
    """The id of a delivery, as its receiver is told it."""
    return uuid5(uid, receiver)
