"""What becomes of what a worker has claimed when it is heard of no more."""

from __future__ import annotations

import pytest

from signalpost.delivery.store import CLAIMED, DEAD, DONE, READY, WORKER_LOST, Fenced, Finished
from signalpost.testing.store_contract.subject import Subject, claim, claim_keyed, record


class Leases:
    """A lost worker's deliveries are run by others, and it can't settle them any more."""

    def test_a_lease_that_runs_is_respected(self, subject: Subject) -> None:
        record(subject.store)
        claim(subject.store)
        subject.pass_time(55.0)
        assert subject.store.reclaim() == 0
        assert [row.state for row in subject.rows()] == [CLAIMED]

    def test_a_lapsed_lease_is_reclaimed_once(self, subject: Subject) -> None:
        record(subject.store)
        [owed] = claim(subject.store).owed
        subject.pass_time(61.0)
        assert subject.store.reclaim() == 1
        assert subject.store.reclaim() == 0
        assert subject.rows()[0].fence > owed.fence
        [again] = claim(subject.store, owner="another").owed
        assert (again.attempts, again.suspect) == (2, True)
        assert again.fence > owed.fence

    def test_poison_that_kills_the_process_is_dead_in_the_end(self, subject: Subject) -> None:
        record(subject.store, max_attempts=2)
        for _ in range(2):
            assert len(claim(subject.store).owed) == 1
            subject.pass_time(61.0)
            assert subject.store.reclaim() == 1
        [row] = subject.rows()
        assert (row.state, row.attempts, row.error) == (DEAD, 2, WORKER_LOST)
        assert claim(subject.store).owed == []

    @pytest.mark.parametrize("state", [DONE, DEAD, READY])
    def test_a_zombie_that_settles_late_changes_nothing(self, subject: Subject, state: str) -> None:
        record(subject.store)
        [owed] = claim(subject.store).owed
        subject.pass_time(61.0)
        subject.store.reclaim()
        assert subject.store.finish([Finished(owed, state, "late")]) == 1
        [again] = claim(subject.store, owner="another").owed
        assert subject.store.finish([Finished(owed, state, "late")]) == 1
        assert subject.rows()[0].error == WORKER_LOST
        assert subject.store.finish([Finished(again, DONE)]) == 0

    def test_a_zombie_settles_what_nobody_has_reclaimed(self, subject: Subject) -> None:
        record(subject.store)
        [owed] = claim(subject.store).owed
        subject.pass_time(61.0)
        assert subject.store.finish([Finished(owed, DONE)]) == 0

    def test_a_renewed_lease_runs_from_then(self, subject: Subject) -> None:
        record(subject.store)
        record(subject.store, key="a")
        plain, keyed = claim(subject.store), claim_keyed(subject.store)
        subject.pass_time(50.0)
        owed = [*plain.owed, *keyed.owed]
        assert subject.store.renew(owed, keyed.slots, 60.0) == 3
        subject.pass_time(50.0)
        assert subject.store.reclaim() == 0
        assert claim_keyed(subject.store, owner="another").slots == []
        assert subject.store.finish([Finished(each, DONE) for each in owed], keyed.slots) == 0

    def test_a_zombie_renews_nothing(self, subject: Subject) -> None:
        record(subject.store)
        record(subject.store, key="a")
        plain, keyed = claim(subject.store), claim_keyed(subject.store)
        subject.pass_time(61.0)
        subject.store.reclaim()
        claim(subject.store, owner="another")
        assert len(claim_keyed(subject.store, owner="another").owed) == 1
        assert subject.store.renew([*plain.owed, *keyed.owed], keyed.slots, 600.0) == 0

    def test_a_renewal_after_the_settling_holds_nothing(self, subject: Subject) -> None:
        for _ in range(2):
            record(subject.store, key="a")
        held = claim_keyed(subject.store, limit=1)
        subject.store.finish([Finished(held.owed[0], DONE)], held.slots)
        assert subject.store.renew(held.owed, held.slots, 600.0) == 0
        assert len(claim_keyed(subject.store, owner="another").owed) == 1

    def test_settling_behind_a_lost_slot_does_nothing_at_all(self, subject: Subject) -> None:
        record(subject.store)
        [plain] = claim(subject.store).owed
        for key in "abcd":
            record(subject.store, key=key)
        lost = claim_keyed(subject.store)
        subject.pass_time(61.0)
        subject.store.reclaim()
        assert len(claim_keyed(subject.store, limit=1, owner="another").slots) == 1
        before = subject.rows()
        results = [Finished(each, DONE) for each in (plain, *lost.owed)]
        with pytest.raises(Fenced, match="taken over"):
            subject.store.finish(results, lost.slots)
        assert subject.rows() == before
        # Without the slots: none is its own any more, since all of them were reclaimed.
        assert subject.store.finish(results) == 5
