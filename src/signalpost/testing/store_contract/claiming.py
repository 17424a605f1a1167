"""What is due, and who gets it."""

from __future__ import annotations

from signalpost.delivery.store import CANCELLED, DEAD, Beat, Finished
from signalpost.testing.store_contract.subject import Subject, claim, claim_keyed, record, uids

HOUR = 3600.0


class Claiming:
    """What is due is claimed, the oldest first, and nothing else."""

    def test_lanes_are_those_with_something_ready(self, subject: Subject) -> None:
        for lane in ("mail", "default", "mail", "later"):
            record(subject.store, lane=lane, delay=HOUR if lane == "later" else 0.0)
        record(subject.store, lane="taken")
        claim(subject.store, "taken")
        assert subject.store.lanes() == ["default", "later", "mail"]

    def test_due_says_whether_there_are_keys(self, subject: Subject) -> None:
        record(subject.store, lane="plain")
        record(subject.store, lane="keyed", key="a")
        record(subject.store, lane="later", delay=HOUR)
        record(subject.store, lane="later", key="a", delay=HOUR)
        found = subject.store.due(["keyed", "later", "nothing", "plain"])
        assert sorted(found) == [("keyed", True), ("plain", False)]
        assert subject.store.due([]) == []

    def test_the_oldest_are_claimed_first_up_to_the_limit(self, subject: Subject) -> None:
        recorded = [record(subject.store) for _ in range(5)]
        assert uids(claim(subject.store, limit=3)) == recorded[:3]
        assert uids(claim(subject.store, limit=3)) == recorded[3:]

    def test_other_lanes_are_left_alone(self, subject: Subject) -> None:
        record(subject.store, lane="other")
        record(subject.store, key="a")
        assert claim(subject.store).owed == []
        assert claim_keyed(subject.store, "other").owed == []

    def test_a_delay_is_waited_for(self, subject: Subject) -> None:
        record(subject.store, delay=10.0)
        record(subject.store, key="a", delay=10.0)
        assert claim(subject.store).owed == claim_keyed(subject.store).owed == []
        subject.pass_time(11.0)
        assert len(claim(subject.store).owed) == len(claim_keyed(subject.store).owed) == 1

    def test_a_far_future_row_and_dead_rows_are_not_in_front(self, subject: Subject) -> None:
        for _ in range(20):
            record(subject.store)
        dead = [Finished(owed, DEAD) for owed in claim(subject.store).owed]
        record(subject.store, delay=10 * 365 * 24 * HOUR)
        subject.store.finish(dead)
        due = record(subject.store)
        assert uids(claim(subject.store, limit=1)) == [due]

    def test_an_attempt_is_counted_at_the_claim(self, subject: Subject) -> None:
        record(subject.store)
        record(subject.store, key="a")
        fences = [row.fence for row in subject.rows()]
        [plain], [keyed] = claim(subject.store).owed, claim_keyed(subject.store).owed
        assert (plain.attempts, plain.fence) == (1, fences[0] + 1)
        assert (keyed.attempts, keyed.fence) == (1, fences[1] + 1)
        assert [(row.attempts, row.fence) for row in subject.rows()] == [
            (plain.attempts, plain.fence),
            (keyed.attempts, keyed.fence),
        ]

    def test_what_was_cancelled_or_deleted_is_not_claimed(self, subject: Subject) -> None:
        for key in (None, None, "a", "a"):
            record(subject.store, key=key)
        for row, state in zip(subject.rows(), (CANCELLED, None) * 2, strict=True):
            subject.change(row.id, state)
        assert claim(subject.store).owed == claim_keyed(subject.store).owed == []

    def test_a_paused_lane_is_told(self, subject: Subject) -> None:
        assert subject.store.paused() == frozenset()
        subject.pause("mail")
        assert subject.store.paused() == {"mail"}

    def test_a_worker_gives_signs_of_life_until_it_leaves(self, subject: Subject) -> None:
        for done in range(2):
            subject.store.beat(Beat("one", "host", 1, "0.1", ("mail",), {"done": done}))
        subject.store.beat(Beat("two", "host", 2, "0.1", (), {}))
        assert sorted(subject.workers()) == ["one", "two"]
        subject.store.leave("one")
        assert subject.workers() == ["two"]
