"""What is in the way of a key, and what isn't: changes by an operator, by a deploy, by a crash."""

from __future__ import annotations

import pytest

from signalpost.delivery.store import BLOCKED, CANCELLED, DEAD, DONE, READY, Finished
from signalpost.testing.store_contract.keys import done, in_turn
from signalpost.testing.store_contract.subject import Subject, claim_keyed, record, uids


class Obstacles:
    """Whatever stands before a delivery in its key, and wherever, is waited for; nothing else is."""

    @pytest.mark.parametrize("state", [CANCELLED, None])
    def test_what_waited_for_one_that_was_taken_away_runs(
        self, subject: Subject, state: str | None
    ) -> None:
        recorded = [record(subject.store, key="a") for _ in range(3)]
        first = claim_keyed(subject.store, limit=1)
        subject.store.finish([Finished(first.owed[0], DEAD)], first.slots)
        assert claim_keyed(subject.store).owed == []
        subject.change(first.owed[0].id, state)
        subject.store.reclaim()
        assert in_turn(subject) == recorded[1:]

    def test_one_that_is_not_due_holds_up_its_key(self, subject: Subject) -> None:
        recorded = [record(subject.store, key="a", delay=delay) for delay in (10.0, 0.0)]
        assert claim_keyed(subject.store).owed == []
        subject.pass_time(11.0)
        assert in_turn(subject) == recorded

    def test_the_owner_of_a_slot_is_killed(self, subject: Subject) -> None:
        recorded = [record(subject.store, key="a") for _ in range(4)]
        claim_keyed(subject.store, limit=2)
        subject.pass_time(61.0)
        # The slot is free before its deliveries are: they are in the way of those behind.
        assert claim_keyed(subject.store, owner="another").owed == []
        assert subject.store.reclaim() == 2
        assert in_turn(subject) == recorded

    def test_the_owner_of_a_slot_is_stopped_past_its_lease_and_continued(
        self, subject: Subject
    ) -> None:
        recorded = [record(subject.store, key="a") for _ in range(3)]
        stopped = claim_keyed(subject.store, limit=2)
        subject.pass_time(130.0)
        subject.store.reclaim()
        assert in_turn(subject) == recorded
        assert subject.store.finish([Finished(owed, DONE) for owed in stopped.owed]) == 2
        assert subject.store.renew(stopped.owed, stopped.slots, 60.0) == 0

    def test_the_order_holds_while_the_number_of_slots_is_changed(self, subject: Subject) -> None:
        old, new = subject.another(64), subject.store
        recorded = [record(store, key="a") for store in (old, new, old, new, new)]
        found: list[object] = []
        for number in range(40):
            store = (old, new)[number % 2]
            claimed = claim_keyed(store, limit=1)
            assert len(claimed.owed) <= 1
            # Another process finds nothing of the key meanwhile, whichever slots it counts.
            assert claim_keyed((new, old)[number % 2], owner="another").owed == []
            found += uids(claimed)
            store.finish([Finished(owed, DONE) for owed in claimed.owed], claimed.slots)
        assert found == recorded

    def test_the_order_holds_while_the_queue_is_changed(self, subject: Subject) -> None:
        lanes = ["old", "new", "old"]
        recorded = [record(subject.store, key="a", lane=lane) for lane in lanes]
        assert claim_keyed(subject.store, "new").owed == []
        found: list[object] = []
        for lane in lanes:
            found += uids(done(subject, claim_keyed(subject.store, lane)))
        assert found == recorded

    def test_the_order_of_one_that_skips_holds_while_the_queue_is_changed(
        self, subject: Subject
    ) -> None:
        lanes = ["old", "new"]
        recorded = [record(subject.store, key="a", lane=lane) for lane in lanes]
        assert claim_keyed(subject.store, "new", blocks=False).owed == []
        found: list[object] = []
        for lane in lanes:
            found += uids(done(subject, claim_keyed(subject.store, lane, blocks=False)))
        assert found == recorded

    def test_a_hot_key_that_has_failed_does_not_hide_another(self, subject: Subject) -> None:
        store = subject.another(1)  # all keys in one slot
        for _ in range(40):
            record(store, key="hot")
        last = record(store, key="other")
        failed = claim_keyed(store, limit=1)
        store.finish([Finished(failed.owed[0], READY, "no", after=10.0)], failed.slots)
        assert uids(claim_keyed(store, limit=2)) == [last]

    def test_setting_one_key_aside_leaves_another_its_turn(self, subject: Subject) -> None:
        store = subject.another(1)
        record(store, key="stuck")
        failed = claim_keyed(store)
        store.finish([Finished(failed.owed[0], DEAD)], failed.slots)
        record(store, key="stuck")
        first = [record(store, key="a") for _ in range(2)]
        record(store, key="a", delay=10.0)
        record(store, key="a")
        assert uids(claim_keyed(store, limit=4)) == first

    def test_one_that_skips_is_not_overtaken_from_a_slot_with_more_room(
        self, subject: Subject
    ) -> None:
        crowded = subject.another(1)
        first = [record(crowded, key=key) for key in ("b", "b", "a")]
        last = record(subject.store, key="a")
        assert uids(claim_keyed(subject.store, limit=4, blocks=False)) == first[:2], last

    def test_keys_that_differ_in_case_or_a_space_are_not_one(self, subject: Subject) -> None:
        store = subject.another(1)
        record(store, key="a")
        failed = claim_keyed(store)
        store.finish([Finished(failed.owed[0], DEAD)], failed.slots)
        others = [record(store, key=key) for key in ("A", "a ", "á")]
        blocked = record(store, key="a")
        found = uids(done(subject, claim_keyed(store)))
        assert sorted(found) == sorted(others)
        store.reclaim()
        assert claim_keyed(store).owed == []
        assert [row.state for row in subject.rows()] == [DEAD, BLOCKED], blocked

    def test_what_is_blocked_is_freed_behind_the_keys_that_are_stuck(
        self, subject: Subject
    ) -> None:
        for key in "abc":
            for _ in range(2):
                record(subject.store, key=key)
        failed = claim_keyed(subject.store)
        firsts = {owed.key: owed for owed in reversed(failed.owed)}
        results = [
            Finished(owed, DEAD)
            if owed is firsts[owed.key]
            else Finished(owed, READY, returned=True, blocked=True)
            for owed in failed.owed
        ]
        subject.store.finish(results, failed.slots)
        subject.change(firsts["c"].id, None)
        subject.store.reclaim()
        assert [owed.key for owed in claim_keyed(subject.store).owed] == ["c"]
