"""A store in memory: for tests of workers and runners that need no database."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager

from signalpost.delivery.store import (
    BLOCKED,
    CLAIMED,
    DEAD,
    DONE,
    READY,
    SLOTS,
    UNKEYED,
    WORKER_LOST,
    Beat,
    Claim,
    Fenced,
    Finished,
    NewDelivery,
    NewMessage,
    Owed,
    Slot,
    slot_of,
)
from signalpost.testing.memory_tables import Held, Row, Tables

#: How many slots one claim takes at most.
SLOTS_AT_ONCE = 8


class MemoryStore:
    """A `signalpost.delivery.store.Store` in memory, for any number of threads.

    `clock` gives the time in seconds. Stores that are given the same `shared` work on the same
    deliveries, as processes do on one database. A transaction is alone while it is open, and undone
    where its block raises.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        slots: int = SLOTS,
        shared: MemoryStore | None = None,
    ) -> None:
        self.clock = clock
        self.slots = slots
        self._shared = shared
        self._lock: threading.RLock = threading.RLock() if shared is None else shared._lock
        self._tables = Tables()

    @property
    def tables(self) -> Tables:
        """What is kept, for a test to look at and to change as an operator does."""
        return self._tables if self._shared is None else self._shared.tables

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction; inside one, a savepoint."""
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Generator[Tables, None, None]:
        with self._lock:
            before = copy.deepcopy(self.tables)
            try:
                yield self.tables
            except BaseException:
                owner = self if self._shared is None else self._shared
                owner._tables = before
                raise

    # -------------------------------------------------------------------- recording and looking

    def record(self, message: NewMessage, deliveries: Sequence[NewDelivery]) -> None:
        """Write a message and its deliveries. Raises a ValueError for a second one of a receiver."""
        with self._lock:
            receivers = [each.receiver for each in deliveries]
            known = {(row.message.uid, row.new.receiver) for row in self.tables.rows.values()}
            if len(set(receivers)) < len(receivers) or any(
                (message.uid, r) in known for r in receivers
            ):
                raise ValueError(f"Message {message.uid} is delivered to a receiver once.")
            now = self.clock()
            for new in deliveries:
                self.tables.last_id += 1
                slot = UNKEYED if new.key is None else slot_of(new.receiver, new.key, self.slots)
                row = Row(self.tables.last_id, message, now, new, slot, now + new.delay)
                self.tables.rows[row.id] = row

    def lanes(self) -> list[str]:
        """The lanes that have deliveries which are ready, whether due or not."""
        with self._lock:
            return sorted({row.new.lane for row in self._in(READY)})

    def due(self, lanes: Sequence[str]) -> list[tuple[str, bool]]:
        """The lanes with something due that can be had, each with whether that has keys."""
        with self._lock:
            unkeyed = {row.new.lane for row in self._due() if row.slot == UNKEYED}
            found: list[tuple[str, bool]] = []
            for lane in lanes:
                found += [(lane, False)] if lane in unkeyed else []
                found += [(lane, True)] if self._free_slots(lane) else []
            return found

    def paused(self) -> frozenset[str]:
        """The lanes that an operator has paused."""
        with self._lock:
            return frozenset(self.tables.pauses)

    def _in(self, *states: str) -> list[Row]:
        return [row for row in self.tables.rows.values() if row.state in states]

    def _due(self) -> list[Row]:
        now = self.clock()
        return [row for row in self._in(READY) if row.available_at <= now]

    def _free_slots(self, lane: str) -> list[int]:
        """Those with something due that nobody holds, in turn."""
        now = self.clock()
        held = {slot: self._held(lane, slot) for slot in self._keyed_slots(lane)}
        free = [slot for slot, each in held.items() if each.lease_until <= now]
        return sorted(free, key=lambda slot: (held[slot].lease_until, slot))

    def _keyed_slots(self, lane: str) -> set[int]:
        return {row.slot for row in self._due() if row.new.lane == lane and row.slot != UNKEYED}

    def _held(self, lane: str, slot: int) -> Held:
        return self.tables.slots.setdefault((lane, slot), Held())

    # -------------------------------------------------------------------------------- claiming

    def claim(self, lane: str, *, limit: int, owner: str, lease: float) -> Claim:
        """Take deliveries without a key that are due, the oldest first."""
        with self._lock:
            due = [row for row in self._due() if row.new.lane == lane and row.slot == UNKEYED]
            due.sort(key=lambda row: (row.available_at, row.id))
            return Claim(self._take(due[:limit], owner, lease))

    def _take(self, rows: Iterable[Row], owner: str, lease: float) -> list[Owed]:
        taken = sorted(rows, key=lambda row: row.id)
        for row in taken:
            row.state, row.claimed_by, row.lease_until = CLAIMED, owner, self.clock() + lease
            row.attempts += 1
            row.fence += 1
        return [row.owed() for row in taken]

    def claim_keyed(
        self, lane: str, *, limit: int, owner: str, lease: float, blocks: Callable[[str], bool]
    ) -> Claim:
        """Take slots with something due, and of each key in them what may run, in order."""
        with self._lock:
            tried: set[int] = set()
            while free := [slot for slot in self._free_slots(lane) if slot not in tried]:
                slots = free[: min(limit, SLOTS_AT_ONCE)]
                tried.update(slots)
                runnable = self._runnable(lane, slots, max(1, limit // len(slots)), blocks)
                if runnable:
                    held = [self._hold(lane, slot, owner, lease) for slot in sorted(slots)]
                    return Claim(self._take(runnable, owner, lease), held)
            return Claim()

    def _hold(self, lane: str, slot: int, owner: str, lease: float) -> Slot:
        held = self._held(lane, slot)
        held.fence, held.owner, held.lease_until = held.fence + 1, owner, self.clock() + lease
        return Slot(lane, slot, held.fence)

    def _runnable(
        self, lane: str, slots: Sequence[int], share: int, blocks: Callable[[str], bool]
    ) -> list[Row]:
        """Of each slot what may run; what stands behind an obstacle is blocked."""
        found: list[Row] = []
        for slot in slots:
            due = [row for row in self._due() if row.new.lane == lane and row.slot == slot]
            may = 0
            for row in sorted(due, key=lambda row: row.id):
                if may == share:
                    break
                if not self._is_behind(row, found, blocks=blocks(row.new.receiver)):
                    found.append(row)
                    may += 1
                elif blocks(row.new.receiver):
                    row.state = BLOCKED
        return found

    def _is_behind(self, row: Row, runnable: Sequence[Row], *, blocks: bool) -> bool:
        """Whether an earlier one of its key is in its way: for one that skips, in another's hands."""
        taken = {each.id for each in runnable}
        for other in self._in(READY, CLAIMED, BLOCKED, DEAD):
            if other.key != row.key or other.id >= row.id or other.id in taken:
                continue
            elsewhere = (other.new.lane, other.slot) != (row.new.lane, row.slot)
            if blocks or other.state == CLAIMED or (other.state == READY and elsewhere):
                return True
        return False

    # ------------------------------------------------------------------------------- finishing

    def finish(self, results: Sequence[Finished], slots: Sequence[Slot] = ()) -> int:
        """Note what became of claimed deliveries, and give the slots back."""
        with self._lock:
            lost = [slot for slot in slots if self._held(slot.lane, slot.slot).fence != slot.fence]
            if lost:
                raise Fenced(f"{len(lost)} of {len(slots)} slots of {lost[0].lane} were taken over")
            for slot in slots:
                held = self._held(slot.lane, slot.slot)
                held.fence, held.owner, held.lease_until = held.fence + 1, "", self.clock()
            return len(results) - sum(self._finish(result) for result in results)

    def _finish(self, result: Finished) -> bool:
        row = self._ours(result.owed)
        if row is None:
            return False
        if result.state == DONE:
            del self.tables.rows[row.id]
            self._release(row.key)
            return True
        row.state = BLOCKED if result.blocked else result.state
        row.available_at = self.clock() + result.after
        row.claimed_by = ""
        row.attempts -= result.returned
        if result.error or not result.returned:
            row.last_error = result.error
        return True

    def _ours(self, owed: Owed) -> Row | None:
        row = self.tables.rows.get(owed.id)
        return row if row and (row.state, row.fence) == (CLAIMED, owed.fence) else None

    def _release(self, key: tuple[str, str | None]) -> None:
        for row in self._in(BLOCKED):
            if row.key == key:
                row.state = READY

    def renew(self, owed: Sequence[Owed], slots: Sequence[Slot], lease: float) -> int:
        """Have the leases run from now; how many of all these are still ours."""
        with self._lock:
            held = [(self._held(slot.lane, slot.slot), slot.fence) for slot in slots]
            rows = [row for each in owed if (row := self._ours(each))]
            ours = [each for each, fence in held if each.fence == fence]
            leased: list[Row | Held] = [*rows, *ours]
            for each in leased:
                each.lease_until = self.clock() + lease
            return len(rows) + len(ours)

    def reclaim(self) -> int:
        """Make what has a lapsed lease ready again, or dead; free what waits for nothing."""
        with self._lock:
            lapsed = [row for row in self._in(CLAIMED) if row.lease_until < self.clock()]
            for row in lapsed:
                row.state = DEAD if row.attempts >= row.new.max_attempts else READY
                row.fence += 1
                row.last_error = WORKER_LOST
            for row in self._in(BLOCKED):
                if not self._is_behind(row, (), blocks=True):
                    self._release(row.key)
            return len(lapsed)

    # ---------------------------------------------------------------------------------- workers

    def beat(self, beat: Beat) -> None:
        """Note a worker's sign of life."""
        with self._lock:
            self.tables.beats[beat.name] = beat

    def leave(self, name: str) -> None:
        """Forget a worker that has stopped."""
        with self._lock:
            self.tables.beats.pop(name, None)
