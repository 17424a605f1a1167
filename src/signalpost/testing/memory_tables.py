"""What a store in memory keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from signalpost.delivery.store import READY, WORKER_LOST, Beat, NewDelivery, NewMessage, Owed


@dataclass(slots=True)
class Row:
    """A delivery that isn't done."""

    id: int
    message: NewMessage
    created_at: float
    new: NewDelivery
    slot: int
    available_at: float
    state: str = READY
    attempts: int = 0
    fence: int = 0
    lease_until: float = 0.0
    claimed_by: str = ""
    last_error: str = ""

    @property
    def key(self) -> tuple[str, str | None]:
        """What it is in order with."""
        return self.new.receiver, self.new.key

    def owed(self) -> Owed:
        """The row as a worker gets it."""
        message, new = self.message, self.new
        return Owed(
            self.id,
            message.uid,
            message.topic,
            message.version,
            message.body,
            message.headers,
            datetime.fromtimestamp(self.created_at, UTC),
            new.receiver,
            new.lane,
            self.slot,
            new.key,
            self.attempts,
            new.max_attempts,
            self.fence,
            self.last_error == WORKER_LOST,
        )


@dataclass(slots=True)
class Held:
    """Who holds a slot, and until when."""

    fence: int = 0
    owner: str = ""
    lease_until: float = float("-inf")


@dataclass(slots=True)
class Tables:
    """What a store keeps."""

    last_id: int = 0
    rows: dict[int, Row] = field(default_factory=dict[int, Row])
    slots: dict[tuple[str, int], Held] = field(default_factory=dict[tuple[str, int], Held])
    beats: dict[str, Beat] = field(default_factory=dict[str, Beat])
    pauses: set[str] = field(default_factory=set[str])
