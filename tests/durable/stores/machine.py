"""Random work on a store, by workers that crash, are stopped and come back, and by operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from signalpost.delivery.store import (
    BLOCKED,
    CANCELLED,
    CLAIMED,
    DEAD,
    DONE,
    READY,
    Claim,
    Fenced,
    Finished,
    Store,
)
from signalpost.testing.store_contract import Seen, Subject
from signalpost.testing.store_contract.subject import record

BLOCKING, SKIPPING = "tests.blocking", "tests.skipping"
LANES = ("default", "other")
LEASE = 60.0
RETRY = 30.0
#: Longer than any lease and any wait of the machine.
LONG = 1000.0
#: How much longer than the model's an hour of the store's may be, since a machine takes its time.
DRIFT = 5.0


def blocks(receiver: str) -> bool:
    return receiver == BLOCKING


@dataclass
class Known:
    """What the model knows of a delivery beside what the store says."""

    receiver: str
    key: str | None
    due: float
    lease_until: float = 0.0


@dataclass
class Held:
    """A claim of a worker, which may be lost by now."""

    store: Store
    claim: Claim
    until: float
    over: bool = False


class StoreMachine(RuleBasedStateMachine):
    """The store's invariants: nothing lost, nothing in two hands, order, fences that only grow."""

    subject: Subject

    def begin_with(self) -> Subject:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.subject = self.begin_with()
        self.stores = [self.subject.store, self.subject.another(64), self.subject.another(1)]
        self.now = 0.0
        self.known: dict[int, Known] = {}
        self.held: list[Held] = []
        self.fences: dict[int, int] = {}

    def rows(self) -> dict[int, Seen]:
        return {row.id: row for row in self.subject.rows()}

    # ---------------------------------------------------------------------------- producers

    @rule(
        receiver=st.sampled_from([BLOCKING, BLOCKING, SKIPPING]),
        key=st.sampled_from([None, "a", "a", "a", "b", "c"]),
        lane=st.sampled_from([*LANES[:1] * 5, LANES[1]]),
        attempts=st.integers(1, 3),
        delay=st.sampled_from([0.0, 0.0, 0.0, RETRY]),
        store=st.integers(0, 2),
        count=st.integers(1, 3),
    )
    def record(
        self,
        receiver: str,
        key: str | None,
        lane: str,
        attempts: int,
        delay: float,
        store: int,
        count: int,
    ) -> None:
        before = self.rows()
        for _ in range(count):
            record(
                self.stores[store], receiver, key=key, lane=lane, max_attempts=attempts, delay=delay
            )
        new = [row for id_, row in self.rows().items() if id_ not in before]
        assert [(row.receiver, row.key, row.state) for row in new] == [
            (receiver, key, READY)
        ] * count
        self.known |= {row.id: Known(receiver, key, self.now + delay) for row in new}

    @rule(receiver=st.sampled_from([BLOCKING, SKIPPING]), key=st.sampled_from([None, "a"]))
    def roll_back(self, receiver: str, key: str | None) -> None:
        before = self.rows()
        with pytest.raises(ZeroDivisionError), self.subject.store.transaction():
            record(self.subject.store, receiver, key=key)
            _ = 1 / 0
        assert self.rows() == before

    # ------------------------------------------------------------------------------ workers

    @rule(
        lane=st.sampled_from([*LANES[:1] * 5, LANES[1]]),
        limit=st.sampled_from([1, 2, 3, 100]),
        keyed=st.sampled_from([True, True, False]),
        store=st.integers(0, 2),
    )
    def claim(self, lane: str, limit: int, keyed: bool, store: int) -> None:
        before = self.rows()
        options: dict[str, Any] = {"limit": limit, "owner": "worker", "lease": LEASE}
        if keyed:
            claim = self.stores[store].claim_keyed(lane, blocks=blocks, **options)
        else:
            claim = self.stores[store].claim(lane, **options)
        self.check_claim(claim, before, limit, keyed=keyed)
        if claim.owed:
            self.held.append(Held(self.stores[store], claim, self.now + LEASE))

    def check_claim(
        self, claim: Claim, before: dict[int, Seen], limit: int, *, keyed: bool
    ) -> None:
        assert len(claim.owed) <= limit
        after, ids = self.rows(), [owed.id for owed in claim.owed]
        assert ids == sorted(set(ids))
        for owed in claim.owed:
            was, known = before[owed.id], self.known[owed.id]
            assert (owed.key is not None) is keyed
            assert was.state == READY and known.due <= self.now + DRIFT
            assert (owed.attempts, owed.fence) == (was.attempts + 1, was.fence + 1)
            assert (after[owed.id].state, after[owed.id].fence) == (CLAIMED, owed.fence)
            known.lease_until = self.now + LEASE
            if owed.key is not None:
                self.check_order(owed.id, before, ids)

    def check_order(self, id_: int, before: dict[int, Seen], claimed: list[int]) -> None:
        """Nothing that is earlier in its key is left out, but what has failed, of one that skips."""
        me = before[id_]
        for other in before.values():
            if (other.receiver, other.key) != (me.receiver, me.key) or other.id in claimed:
                continue
            assert other.state != CLAIMED, "The key is in two hands"
            if other.id < id_ and other.state in (READY, BLOCKED, DEAD):
                waits = other.state != READY or self.known[other.id].due > self.now - DRIFT
                assert not blocks(me.receiver) and waits, (
                    f"#{id_} has overtaken #{other.id} of its key: {me}, {other}, {claimed}"
                )

    @rule(
        which=st.integers(0, 20),
        outcomes=st.lists(st.sampled_from([DONE, DONE, DONE, READY, DEAD, "back"]), min_size=6),
        whole=st.booleans(),
    )
    def finish(self, which: int, outcomes: list[str], whole: bool) -> None:
        """A worker settles what it has claimed, some of it again; it may be a zombie by now."""
        if not self.held:
            return
        held = self.held[which % len(self.held)]
        before = self.rows()
        results = self.results(held.claim, outcomes)
        ours = [r for r in results if self.is_ours(r, before)]
        slots = held.claim.slots if whole else []
        try:
            lost = held.store.finish(results, slots)
        except Fenced:
            assert held.over or held.until <= self.now + DRIFT
            assert self.rows() == before
            return
        assert lost == len(results) - len(ours)
        after = self.rows()
        settled = {result.owed.id for result in ours}
        for id_, row in before.items():
            if id_ not in settled and row != after[id_]:
                assert (row.state, after[id_].state) == (BLOCKED, READY), "It wasn't the worker's"
        for result in ours:
            self.check_result(result, before[result.owed.id], after.get(result.owed.id))
        held.over = held.over or whole

    def results(self, claim: Claim, outcomes: list[str]) -> list[Finished]:
        """As a worker's: what stands behind one that has failed, of its key, is handed back."""
        failed: set[tuple[str, str | None]] = set()
        found: list[Finished] = []
        for number, owed in enumerate(claim.owed):
            outcome, pair = outcomes[number % len(outcomes)], (owed.receiver, owed.key)
            if pair in failed:
                found.append(Finished(owed, READY, returned=True, blocked=True))
            elif outcome == "back":
                found.append(Finished(owed, READY, returned=True))
            elif outcome == READY:
                state = READY if owed.attempts < owed.max_attempts else DEAD
                found.append(Finished(owed, state, "no", RETRY if state == READY else 0.0))
            else:
                found.append(Finished(owed, outcome))
            if outcome != DONE and owed.key is not None and blocks(owed.receiver):
                failed.add(pair)
        return found

    def is_ours(self, result: Finished, rows: dict[int, Seen]) -> bool:
        row = rows.get(result.owed.id)
        return row is not None and (row.state, row.fence) == (CLAIMED, result.owed.fence)

    def check_result(self, result: Finished, before: Seen, after: Seen | None) -> None:
        if result.state == DONE:
            assert after is None
            del self.known[before.id]
            return
        assert after is not None
        # One that was set aside may have been released by one that was done beside it.
        expected = {result.state, BLOCKED} if result.blocked else {result.state}
        assert after.state in expected
        assert after.attempts == before.attempts - result.returned
        self.known[before.id].due = self.now + result.after

    @rule(which=st.integers(0, 20))
    def renew(self, which: int) -> None:
        if not self.held:
            return
        held = self.held[which % len(self.held)]
        rows = self.rows()
        ours = [o for o in held.claim.owed if self.is_ours(Finished(o, DONE), rows)]
        found = held.store.renew(held.claim.owed, held.claim.slots, LEASE)
        slots = found - len(ours)
        assert 0 <= slots <= len(held.claim.slots)
        if held.until > self.now + DRIFT and not held.over:
            assert slots == len(held.claim.slots)
        for owed in ours:
            self.known[owed.id].lease_until = self.now + LEASE
        if slots == len(held.claim.slots):
            held.until = self.now + LEASE
        assert self.rows() == rows

    @rule(which=st.integers(0, 20))
    def crash(self, which: int) -> None:
        """A worker is gone with what it has claimed."""
        if self.held:
            self.held.pop(which % len(self.held))

    @rule(seconds=st.sampled_from([1.0, 20.0, RETRY + 1, LEASE + 1]))
    def pass_time(self, seconds: float) -> None:
        self.subject.pass_time(seconds)
        self.now += seconds

    @rule()
    def reclaim(self) -> None:
        before = self.rows()
        found = self.subject.store.reclaim()
        after = self.rows()
        assert after.keys() == before.keys()
        reclaimed = {id_ for id_, row in after.items() if row.fence != before[id_].fence}
        assert found == len(reclaimed)
        for id_, row in after.items():
            was, ends = before[id_], self.known[id_].lease_until
            if id_ in reclaimed:
                assert was.state == CLAIMED and row.state in (READY, DEAD)
                assert row.fence == was.fence + 1 and ends < self.now + DRIFT
            elif row != was:
                assert (was.state, row.state) == (BLOCKED, READY)
            else:
                assert was.state != CLAIMED or ends >= self.now

    # ---------------------------------------------------------------------------- operators

    @rule(which=st.integers(0, 100), action=st.sampled_from(["cancel", "retry", "delete"]))
    def operate(self, which: int, action: str) -> None:
        rows = list(self.rows().values())
        if not rows:
            return
        row = rows[which % len(rows)]
        if action == "retry" and row.state == DEAD:
            self.subject.change(row.id, READY)
            self.known[row.id].due = 0.0
        elif action == "cancel" and row.state in (READY, BLOCKED, DEAD):
            self.subject.change(row.id, CANCELLED)
        elif action == "delete" and row.state != READY:
            self.subject.change(row.id, None)
            del self.known[row.id]

    # --------------------------------------------------------------------------- invariants

    @invariant()
    def nothing_is_lost_and_nothing_invented(self) -> None:
        if hasattr(self, "known"):
            assert self.rows().keys() == self.known.keys()

    @invariant()
    def fences_only_grow(self) -> None:
        for id_, row in self.rows().items() if hasattr(self, "known") else ():
            assert row.fence >= self.fences.get(id_, 0)
            self.fences[id_] = row.fence

    def teardown(self) -> None:
        """In the end each is done, unless it is dead, was cancelled, or waits for a dead one."""
        if not hasattr(self, "known"):
            return
        self.held.clear()
        idle = 0
        while idle < 2:
            self.pass_time(LONG)
            self.reclaim()
            idle += 1
            for lane in LANES:
                for keyed in (False, True):
                    self.claim(lane, 100, keyed, 0)
            for held in self.held:
                idle = 0
                results = [Finished(owed, DONE) for owed in held.claim.owed]
                assert held.store.finish(results, held.claim.slots) == 0
                for owed in held.claim.owed:
                    del self.known[owed.id]
            self.held.clear()
        rows = self.rows()
        for row in rows.values():
            if row.state not in (DEAD, CANCELLED):
                assert any(
                    other.state == DEAD
                    and (other.receiver, other.key) == (row.receiver, row.key)
                    and other.id < row.id
                    for other in rows.values()
                ), f"It waits for nothing: {row} of {list(rows.values())}"
                assert blocks(row.receiver)
