"""Of one key deliveries run one by one, in the order in which they were recorded."""

from __future__ import annotations

from signalpost.delivery.store import BLOCKED, CLAIMED, DEAD, DONE, READY, Claim, Finished
from signalpost.testing.store_contract.subject import Subject, claim_keyed, record, uids


class Keys:
    """A key is with one worker at a time, and what has failed holds it up, or is skipped."""

    def test_a_key_comes_in_its_order(self, subject: Subject) -> None:
        recorded = [record(subject.store, key="a") for _ in range(5)]
        first = claim_keyed(subject.store, limit=3)
        assert uids(first) == recorded[:3]
        done(subject, first)
        assert uids(claim_keyed(subject.store)) == recorded[3:]

    def test_a_key_is_with_one_worker_at_a_time(self, subject: Subject) -> None:
        recorded = [record(subject.store, key="a") for _ in range(2)]
        first = claim_keyed(subject.store, limit=1)
        assert claim_keyed(subject.store, owner="another") == Claim()
        assert ("default", True) not in subject.store.due(["default"])
        done(subject, first)
        assert uids(claim_keyed(subject.store, owner="another")) == recorded[1:]

    def test_keys_are_shared_among_workers(self, subject: Subject) -> None:
        for number in range(10):
            record(subject.store, key=f"key {number}")
        found: list[str | None] = []
        for number in range(10):
            claimed = claim_keyed(subject.store, limit=1, owner=f"worker {number}")
            assert len(claimed.slots) <= 1
            found += [owed.key for owed in claimed.owed]
        assert len(set(found)) == len(found) > 5  # two keys may have one slot

    def test_a_key_is_each_receivers_own(self, subject: Subject) -> None:
        for receiver in ("tests.a", "tests.b"):
            record(subject.store, receiver, key="a")
        failed = claim_keyed(subject.store)
        kept = [owed for owed in failed.owed if owed.receiver == "tests.b"]
        gone = [owed for owed in failed.owed if owed.receiver == "tests.a"]
        results = [Finished(gone[0], DEAD), Finished(kept[0], DONE)]
        subject.store.finish(results, failed.slots)
        last = record(subject.store, "tests.b", key="a")
        assert uids(claim_keyed(subject.store)) == [last]

    def test_a_failed_one_blocks_its_key_and_no_other(self, subject: Subject) -> None:
        store = subject.another(1)  # all keys in one slot
        for key in "aaba":
            record(store, key=key)
        first = claim_keyed(store, limit=1)
        store.finish([Finished(first.owed[0], READY, "no", after=10.0)], first.slots)
        assert [owed.key for owed in done(subject, claim_keyed(store)).owed] == ["b"]
        assert claim_keyed(store).owed == []
        assert [row.state for row in subject.rows()] == [READY, BLOCKED, BLOCKED]
        subject.pass_time(11.0)
        again = claim_keyed(store)
        assert [owed.id for owed in again.owed] == [first.owed[0].id]
        done(subject, again)
        assert len(claim_keyed(store).owed) == 2

    def test_one_that_comes_later_waits_behind_what_is_blocked(self, subject: Subject) -> None:
        recorded = [record(subject.store, key="a") for _ in range(2)]
        failed = claim_keyed(subject.store)
        subject.store.finish(
            [
                Finished(failed.owed[0], READY, "no", after=10.0),
                Finished(failed.owed[1], READY, returned=True, blocked=True),
            ],
            failed.slots,
        )
        recorded.append(record(subject.store, key="a"))
        assert claim_keyed(subject.store).owed == []
        subject.pass_time(11.0)
        assert in_turn(subject) == recorded

    def test_a_failed_one_is_skipped(self, subject: Subject) -> None:
        recorded = [record(subject.store, key="a") for _ in range(3)]
        first = claim_keyed(subject.store, limit=1, blocks=False)
        subject.store.finish([Finished(first.owed[0], READY, "no", after=10.0)], first.slots)
        second = claim_keyed(subject.store, limit=1, blocks=False)
        assert uids(second) == recorded[1:2]
        subject.store.finish([Finished(second.owed[0], DEAD, "no")], second.slots)
        assert uids(done(subject, claim_keyed(subject.store, blocks=False))) == recorded[2:]
        subject.pass_time(11.0)
        assert uids(claim_keyed(subject.store, blocks=False)) == recorded[:1]

    def test_one_that_is_claimed_is_not_skipped(self, subject: Subject) -> None:
        recorded = [record(subject.store, key="a") for _ in range(2)]
        claim_keyed(subject.store, limit=1, blocks=False)
        subject.pass_time(61.0)  # the slot is free then, and the delivery not yet reclaimed
        assert claim_keyed(subject.store, owner="another", blocks=False).owed == []
        assert [row.state for row in subject.rows()] == [CLAIMED, READY]
        subject.store.reclaim()
        assert uids(claim_keyed(subject.store, owner="another", blocks=False)) == recorded

    def test_a_dead_one_holds_up_its_key_until_it_is_retried(self, subject: Subject) -> None:
        recorded = [record(subject.store, key="a") for _ in range(2)]
        first = claim_keyed(subject.store, limit=1)
        subject.store.finish([Finished(first.owed[0], DEAD)], first.slots)
        assert claim_keyed(subject.store).owed == []
        subject.store.reclaim()
        assert claim_keyed(subject.store).owed == []
        subject.change(first.owed[0].id, READY)
        assert in_turn(subject) == recorded


def done(subject: Subject, claimed: Claim) -> Claim:
    """Settle it all as done, and give its slots back."""
    results = [Finished(owed, DONE) for owed in claimed.owed]
    assert subject.store.finish(results, claimed.slots) == 0
    return claimed


def in_turn(subject: Subject) -> list[object]:
    """Claim and settle until there is nothing; the ids of the messages in their turn."""
    found: list[object] = []
    while claimed := uids(done(subject, claim_keyed(subject.store))):
        found += claimed
    return found
