"""Who did it: a context that is stored with each durable delivery and restored around its run."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_context: ContextVar[Mapping[str, Any]] = ContextVar("signalpost_context", default=_EMPTY)
#: How many deliveries led to the code that runs: a durable receiver may send signals in its turn.
hops: ContextVar[int] = ContextVar("signalpost_hops", default=0)


@dataclass(frozen=True)
class Delivery:
    """What a durable receiver that names ``delivery`` is told of its run."""

    #: The same at each attempt, and no other delivery's: the idempotency key to pass to others.
    id: UUID
    #: 1 for the first. Counts runs that were begun: one that crashed its worker too.
    attempt: int
    max_attempts: int
    #: When the sender recorded it, by the database's clock.
    recorded_at: datetime
    #: The signal's name and the receiver's key.
    signal: str
    receiver: str
    queue: str
    #: The key that orders it among others, or None.
    key: str | None
    #: What `signal_context` held when it was sent.
    context: Mapping[str, Any]

    @property
    def is_last(self) -> bool:
        """Whether there is no attempt after this one."""
        return self.attempt >= self.max_attempts


@contextmanager
def signal_context(**values: Any) -> Generator[Mapping[str, Any], None, None]:
    """Keep values, such as the actor, with each durable delivery that is recorded in the block.

    A receiver finds them in ``delivery.context``, and `current_context` gives them in whatever it
    calls. Blocks nest; the inner one's values win. Values are stored as arguments are: a user is
    stored by reference and fetched again.

    >>> with signal_context(actor="ada"), signal_context(request_id="7f3a"):
    ...     dict(current_context())
    {'actor': 'ada', 'request_id': '7f3a'}
    """
    merged = MappingProxyType({**_context.get(), **values})
    token = _context.set(merged)
    try:
        yield merged
    finally:
        _context.reset(token)


def become_sender(values: Mapping[str, Any], hop: int) -> None:
    """Have the rest of this context run as the sender's own, so many deliveries on."""
    _context.set(values)
    hops.set(hop)


def current_context() -> Mapping[str, Any]:
    """What the blocks of `signal_context` around the caller hold, in a worker those of the sender."""
    return _context.get()
