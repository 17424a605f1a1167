"""A message: what was sent, as it is written, and as it is read for one receiver."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from signalpost.delivery import codec
from signalpost.delivery.context import current_context, hops
from signalpost.delivery.store import NewMessage
from signalpost.exceptions import PayloadUnreadable, RecordingError

#: The version of the body's shape.
VERSION = 1
#: The most deliveries that may lead to one another, each sending what the next one receives.
MAX_HOPS = 16
#: No limit is lower, so what is shorter needs no look at it: that takes 2 µs.
LOWEST_LIMIT = 1024
#: What a receiver is passed beside the payload, which therefore can't have an argument of the name.
OURS = frozenset({"signal", "sender"})
_TOO_LONG = "A {what} of {size:,} bytes is longer than {limit:,} bytes. "
_WHAT_TO_DO = (
    'Store that elsewhere and pass a reference to it, or raise SIGNALPOST["PAYLOAD_LIMIT"].'
)


class Sent(NamedTuple):
    """What was sent."""

    topic: str
    sender: Any
    named: Mapping[str, Any]
    #: Whether instances are stored whole, since their rows are gone.
    snapshots: bool = False
    #: The database that it is recorded in.
    using: str | None = None


def write(
    sent: Sent, added: Mapping[str, Mapping[str, Any]], *, limit: Callable[[], int]
) -> NewMessage:
    """The message. `added` has what rules add to the payload, encoded, for each receiver's key.

    `limit` gives the most bytes that it may have. Raises a RecordingError that names what can't be
    stored.
    """
    whole, using = sent.snapshots, sent.using
    for name in OURS.intersection(sent.named):
        raise RecordingError(
            f"argument '{name}' can't be stored: each receiver is passed the {name}."
        )
    named = codec.encode_each(sent.named, snapshots=whole, using=using)
    # By itself, since the payload may have an argument of any name.
    sender = codec.encode_each({"sender": sent.sender}, snapshots=whole, using=using)["sender"]
    data: dict[str, Any] = {"named": named, "sender": sender}
    if added:
        data["added"] = added
    text = codec.compose(data)
    if len(text) > LOWEST_LIMIT and len(text) > limit():
        sizes = {
            name: len(codec.compose(value)) for name, value in {"sender": sender, **named}.items()
        }
        raise RecordingError(
            _TOO_LONG.format(what="message", size=len(text), limit=limit())
            + f"Its largest argument is '{max(sizes, key=sizes.__getitem__)}'. {_WHAT_TO_DO}"
        )
    return NewMessage(new_uid(), sent.topic, text, _headers(using, limit), VERSION)


def _headers(using: str | None, limit: Callable[[], int]) -> str:
    headers: dict[str, Any] = {}
    hop, context = hops.get(), current_context()
    if hop > MAX_HOPS:
        raise RecordingError(
            f"it was sent by a durable receiver, which was run since another sent, and so on {hop} "
            "times: the signals go round in a loop."
        )
    if hop:
        headers["hops"] = hop
    if context:
        try:
            headers["context"] = codec.encode_each(dict(context), using=using)
        except RecordingError as error:
            raise RecordingError(f"in signal_context: {error}") from error.__cause__
    if not headers:  # as in most sends
        return "{}"
    text = codec.compose(headers)
    if len(text) > LOWEST_LIMIT and len(text) > limit():
        raise RecordingError(
            _TOO_LONG.format(what="signal_context", size=len(text), limit=limit()) + _WHAT_TO_DO
        )
    return text


class Opened:
    """A message that is read for one receiver."""

    def __init__(self, text: str, headers: str, version: int) -> None:
        if version != VERSION:
            raise PayloadUnreadable(
                f"The message has version {version}, and this process reads {VERSION}."
            )
        self._data = _dict(codec.parse(text), "body")
        empty = headers in ("", "{}")
        self._headers = {} if empty else _dict(codec.parse(headers), "headers")

    def sender(self, reading: codec.Reading) -> Any:
        """The sender."""
        return codec.decode_one("sender", self._data.get("sender"), reading)

    def named(self, reading: codec.Reading, wanted: Collection[str] | None) -> dict[str, Any]:
        """The arguments of the payload; those that are wanted, where that is said."""
        named = _dict(self._data.get("named"), "payload")
        if not OURS.isdisjoint(named):
            raise PayloadUnreadable("The payload of the message names what isn't its own.")
        return {
            name: codec.decode_one(name, value, reading)
            for name, value in named.items()
            if wanted is None or name in wanted
        }

    def added(self, key: str, reading: codec.Reading) -> dict[str, Any]:
        """What rules added for the receiver."""
        added = _dict(self._data.get("added", {}), "additions").get(key, {})
        return codec.decode_each(added, reading)

    def context(self, reading: codec.Reading) -> dict[str, Any]:
        """What `signal_context` held; None for an instance that is gone."""
        context: dict[str, Any] = {}
        for name, value in _dict(self._headers.get("context", {}), "context").items():
            try:
                context[name] = codec.decode_one(name, value, reading)
            except codec.Missing:
                context[name] = None
        return context

    @property
    def hops(self) -> int:
        """How many deliveries led to this one."""
        count = self._headers.get("hops", 0)
        return max(0, count) if type(count) is int else 0


def new_uid() -> UUID:
    """A UUID of version 7 (RFC 9562): in order of time, to the millisecond."""
    milliseconds = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds << 80) | noise
    value = (value & ~(0xF000 << 64)) | (0x7000 << 64)
    return UUID(int=(value & ~(0xC000 << 48)) | (0x8000 << 48))


def _dict(data: Any, what: str) -> dict[str, Any]:
    if type(data) is not dict:
        raise PayloadUnreadable(f"The {what} of the message is no dictionary.")
    return data  # pyright: ignore[reportUnknownVariableType]
