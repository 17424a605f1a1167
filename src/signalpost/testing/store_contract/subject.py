"""The store that is tested, and what a test does with it that a store can't do itself."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid4

from signalpost.delivery.store import Claim, NewDelivery, NewMessage, Store


class Seen(NamedTuple):
    """A delivery that isn't done, as it is stored."""

    id: int
    receiver: str
    key: str | None
    state: str
    attempts: int
    fence: int
    error: str


class Subject(Protocol):
    """What a test of the contract is given. It has nothing in it."""

    @property
    def store(self) -> Store:
        """The store, which counts 256 slots."""
        ...

    @property
    def refused(self) -> type[Exception]:
        """What `record` raises for a second delivery of a message to one receiver."""
        ...

    def another(self, slots: int) -> Store:
        """A store on the same deliveries, of a process that counts so many slots."""
        ...

    def pass_time(self, seconds: float) -> None:
        """Let time pass, for the store."""
        ...

    def rows(self) -> list[Seen]:
        """The deliveries that aren't done, by their ids."""
        ...

    def change(self, id_: int, state: str | None) -> None:
        """Do what an operator does: give it another state, moving its fence on; None deletes it."""
        ...

    def pause(self, lane: str) -> None:
        """Do what an operator does who pauses a lane."""
        ...

    def workers(self) -> list[str]:
        """The names of the workers that have given a sign of life."""
        ...

    def end_thread(self) -> None:
        """Close what this thread, which ends, has opened."""
        ...


def record(
    store: Store,
    receiver: str = "tests.note",
    *,
    key: str | None = None,
    lane: str = "default",
    max_attempts: int = 3,
    delay: float = 0.0,
    body: str = "{}",
) -> UUID:
    """Record a message for one receiver; its id."""
    uid = uuid4()
    message = NewMessage(uid, "tests.paid", body, "{}")
    store.record(message, [NewDelivery(receiver, lane, max_attempts, key, delay)])
    return uid


def claim(store: Store, lane: str = "default", *, limit: int = 100, owner: str = "worker") -> Claim:
    """Claim what has no key, for 60 seconds."""
    return store.claim(lane, limit=limit, owner=owner, lease=60.0)


def claim_keyed(
    store: Store,
    lane: str = "default",
    *,
    limit: int = 100,
    owner: str = "worker",
    blocks: bool = True,
) -> Claim:
    """Claim what has keys, for 60 seconds; the receivers are `on_failure="block"`, or "skip"."""
    return store.claim_keyed(
        lane, limit=limit, owner=owner, lease=60.0, blocks=lambda receiver: blocks
    )


def uids(claimed: Claim) -> list[Any]:
    """The ids of the messages, in the order of the claim."""
    return [owed.uid for owed in claimed.owed]
