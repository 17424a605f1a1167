"""What a worker's threads are given to do: they take turns in asking for it.

So an idle worker asks the database once, however many threads it has.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from signalpost.delivery import receivers
from signalpost.delivery.sizing import Size
from signalpost.delivery.store import Claim, Store
from signalpost.delivery.waiting import Every, Poll, Wake

#: How often it is seen whether there are lanes that nobody here has declared, in seconds.
NEW_LANES_EVERY = 5.0
#: For how long a place that gives much is taken to have more, in seconds. To ask which places have
#: something due costs PostgreSQL as much as a claim does, while rows that are gone stand in the way.
ASK_EVERY = 0.05
#: With `once`, how often in a row nothing of what is due can be had until that is all: another
#: worker has it, or the slots of new keys are yet to be seen.
_TRIES = 3


class Place(NamedTuple):
    """Where deliveries wait for their turn: those of a lane with keys, or without."""

    lane: str
    keyed: bool


class Claimed(NamedTuple):
    """A claim, when it was asked for, and where."""

    claim: Claim
    begun: float
    place: Place


class Claiming:
    """Finds what is due, for one thread at a time."""

    def __init__(
        self,
        store: Store,
        wake: Wake,
        stopping: threading.Event,
        clock: Callable[[], float],
        *,
        lanes: Sequence[str],
        batch: int,
        lease: float,
        poll: tuple[float, float],
        once: bool,
    ) -> None:
        self.store = store
        self.wake = wake
        self.stopping = stopping
        self.clock = clock
        self.batch = batch
        self.lease = lease
        self.once = once
        #: The lanes that an operator has paused.
        self.paused: frozenset[str] = frozenset()
        self._asked_for = tuple(lanes)
        self._lanes: Sequence[str] = self._asked_for
        self._new_lanes = Every(NEW_LANES_EVERY, clock)
        self._poll = Poll(*poll)
        self._turn = threading.Lock()
        #: Each place has its own, lest slow receivers in one make the claims of others small.
        self._sizes: dict[Place, Size] = {}
        #: When each place had its last turn.
        self._served: dict[Place, int] = {}
        self._turns = itertools.count()
        #: The places that had something, while none has given little, and when that was asked.
        self._more: list[Place] = []
        self._asked = -ASK_EVERY

    def next(self, owner: str) -> Claimed | None:
        """Something that is due, once there is; None where there will be nothing more to do."""
        with self._turn:
            tries = 0
            while not self.stopping.is_set():
                found = self._first(self._remembered(), owner)
                due: list[Place] = []
                if found is None:
                    due = self._due()
                    found = self._first(due, owner)
                if found is not None:
                    self._poll.found()
                    return found
                tries += 1
                if self.once and (not due or tries == _TRIES):
                    return None
                if self.wake.wait(self._poll.nothing()):
                    self._poll.found()
        return None

    def learn(self, claimed: Claimed, begun: int, seconds: float) -> None:
        """Of a claim so many were begun, in so many seconds: the next is sized by that."""
        self._size(claimed.place).learn(begun, len(claimed.claim.owed), seconds)

    def _remembered(self) -> list[Place]:
        """The places that had something a moment ago, if each of them has given much since."""
        if self.clock() - self._asked >= ASK_EVERY:
            self._more.clear()
        return self._in_turn(self._more)

    def _due(self) -> list[Place]:
        """The places with something due."""
        self._asked = self.clock()
        self._more = [Place(*each) for each in self.store.due(self._open_lanes())]
        return self._in_turn(self._more)

    def _in_turn(self, places: Iterable[Place]) -> list[Place]:
        """Who had no turn for the longest time is first."""
        return sorted(places, key=lambda place: self._served.get(place, -1))

    def _first(self, places: Iterable[Place], owner: str) -> Claimed | None:
        """What the first of the places gives that has something which can be had."""
        for place in places:
            claimed = self._claim(place, owner)
            if claimed.claim.owed:
                return claimed
        return None

    def _claim(self, place: Place, owner: str) -> Claimed:
        begun = self.clock()
        limit = self._size(place).limit
        if place.keyed:
            claim = self.store.claim_keyed(
                place.lane, limit=limit, owner=owner, lease=self.lease, blocks=receivers.blocks
            )
        else:
            claim = self.store.claim(place.lane, limit=limit, owner=owner, lease=self.lease)
        self._served[place] = next(self._turns)
        # Not all of it: slots share the limit, and what is left over goes to none.
        if len(claim.owed) <= limit / 2:
            self._more.clear()
        return Claimed(claim, begun, place)

    def _size(self, place: Place) -> Size:
        size = self._sizes.get(place)
        if size is None:
            size = self._sizes[place] = Size(self.batch)
        return size

    def _open_lanes(self) -> list[str]:
        if not self._asked_for and self._new_lanes():
            declared = {durable.options.queue for durable in receivers.known()}
            self._lanes = sorted({*declared, *self.store.lanes()})
        return [lane for lane in self._lanes if lane not in self.paused]
