"""What is owed, and who keeps it: the rows, as values, and the store that a worker works on.

A delivery's states::

    record --> ready --claim--> claimed --> done (its row is deleted)
                 ^                 |------> dead        attempts used up, or GiveUp
                 |<--retry, lapse--|
                 |<--released--- blocked    waits for an earlier one of its key
    an operator: dead -> ready (retry), ready | blocked | dead -> cancelled
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

READY, CLAIMED, BLOCKED = "ready", "claimed", "blocked"
DONE, DEAD, CANCELLED = "done", "dead", "cancelled"
UNSETTLED = (READY, CLAIMED, BLOCKED, DEAD)

#: The slot of deliveries without a key.
UNKEYED = 0
SLOTS = 256
_LAYOUT = 1 << 16

#: `last_error` of a delivery whose worker died or lost its lease.
WORKER_LOST = "worker lost"


def slot_of(receiver: str, key: str, slots: int = SLOTS) -> int:
    """The slot of a receiver's key. Tells how many slots there were, so that it may change."""
    return slots * _LAYOUT + zlib.crc32(f"{receiver}|{key}".encode()) % slots


def slots_counted(slot: int) -> int:
    """How many slots there were where a key was given this one."""
    return slot // _LAYOUT


def slot_range(slots: int) -> tuple[int, int]:
    """The first slot that `slot_of` gives, and the last that it may give."""
    return slots * _LAYOUT, slots * _LAYOUT + _LAYOUT - 1


class NewDelivery(NamedTuple):
    """A delivery to be recorded."""

    receiver: str
    lane: str
    max_attempts: int
    key: str | None = None
    delay: float = 0.0


class NewMessage(NamedTuple):
    """What was sent, to be recorded."""

    uid: UUID
    topic: str
    body: str
    headers: str
    version: int = 1


class Owed(NamedTuple):
    """A delivery that was claimed: to be run and finished before its lease ends."""

    id: int
    uid: UUID
    topic: str
    version: int
    body: str
    headers: str
    created_at: datetime
    receiver: str
    lane: str
    slot: int
    key: str | None
    attempts: int
    max_attempts: int
    fence: int
    #: Whether its last worker was lost while it ran, or while it waited beside one that ran.
    suspect: bool


class Slot(NamedTuple):
    """A slot that was taken, with all keys in it, until its fence moves on."""

    lane: str
    slot: int
    fence: int


@dataclass(slots=True)
class Claim:
    """What one claim gave."""

    owed: list[Owed] = field(default_factory=list[Owed])
    slots: list[Slot] = field(default_factory=list[Slot])


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a claimed delivery."""

    owed: Owed
    #: DONE, DEAD, or READY: to be run again.
    state: str
    error: str = ""
    #: Seconds until it may run again.
    after: float = 0.0
    #: Whether the attempt is given back, since it was never run.
    returned: bool = False
    #: Whether it has to wait for an earlier one of its key.
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker's sign of life."""

    name: str
    host: str
    pid: int
    version: str
    lanes: Sequence[str]
    stats: dict[str, Any]


class Fenced(Exception):
    """A lease was lost: somebody else has the deliveries, or the slot, now."""


class Store(Protocol):
    """The deliveries of one database. Each method is one transaction, or part of the caller's."""

    def record(self, message: NewMessage, deliveries: Sequence[NewDelivery]) -> None:
        """Write a message and its deliveries, in the caller's transaction where there is one."""
        ...

    def lanes(self) -> list[str]:
        """The lanes that have deliveries which are ready, whether due or not."""
        ...

    def due(self, lanes: Sequence[str]) -> list[tuple[str, bool]]:
        """The lanes with something due, each with whether that has keys."""
        ...

    def claim(self, lane: str, *, limit: int, owner: str, lease: float) -> Claim:
        """Take deliveries without a key that are due, the oldest first."""
        ...

    def claim_keyed(
        self, lane: str, *, limit: int, owner: str, lease: float, blocks: Callable[[str], bool]
    ) -> Claim:
        """Take slots with something due, and of each key in them what may run, in order.

        `blocks` says of a receiver whether a delivery that failed holds up those after it.
        """
        ...

    def finish(self, results: Sequence[Finished], slots: Sequence[Slot] = ()) -> int:
        """Note what became of claimed deliveries, and give the slots back.

        Returns how many were no longer ours. Raises Fenced, having done nothing, where a slot isn't.
        """
        ...

    def renew(self, owed: Sequence[Owed], slots: Sequence[Slot], lease: float) -> int:
        """Have the leases run from now; how many of all these are still ours."""
        ...

    def reclaim(self) -> int:
        """Make what has a lapsed lease ready again, or dead; free what waits for nothing."""
        ...

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction in which `finish` and the receivers' own work are one."""
        ...

    def beat(self, beat: Beat) -> None:
        """Note a worker's sign of life."""
        ...

    def leave(self, name: str) -> None:
        """Forget a worker that has stopped."""
        ...

    def paused(self) -> frozenset[str]:
        """The lanes that an operator has paused."""
        ...
