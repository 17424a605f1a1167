"""What becomes of a claimed delivery."""

from __future__ import annotations

import pytest

from signalpost.delivery.store import CANCELLED, DEAD, DONE, READY, Finished, Owed
from signalpost.testing.store_contract.recording import StoppedError
from signalpost.testing.store_contract.subject import Subject, claim, record


class Settling:
    """Whoever claimed a delivery says what becomes of it, as long as it is its own."""

    def test_done_is_gone(self, subject: Subject) -> None:
        owed = _owed(subject, 2)
        assert subject.store.finish([Finished(each, DONE) for each in owed]) == 0
        assert subject.rows() == []

    def test_dead_stays_until_someone_acts(self, subject: Subject) -> None:
        [owed] = _owed(subject)
        subject.store.finish([Finished(owed, DEAD, "ValueError: no")])
        subject.pass_time(1e7)
        subject.store.reclaim()
        assert claim(subject.store).owed == []
        [row] = subject.rows()
        assert (row.state, row.attempts, row.error) == (DEAD, 1, "ValueError: no")
        subject.change(row.id, READY)
        assert len(claim(subject.store).owed) == 1

    def test_a_retry_waits(self, subject: Subject) -> None:
        [owed] = _owed(subject)
        subject.store.finish([Finished(owed, READY, "ValueError: no", after=10.0)])
        assert claim(subject.store).owed == []
        subject.pass_time(11.0)
        [again] = claim(subject.store).owed
        assert (again.attempts, again.suspect) == (2, False)
        assert again.fence > owed.fence
        assert subject.rows()[0].error == "ValueError: no"

    def test_handed_back_costs_no_attempt_and_keeps_the_error(self, subject: Subject) -> None:
        [owed] = _owed(subject)
        subject.store.finish([Finished(owed, READY, "ValueError: no")])
        [owed] = claim(subject.store).owed
        subject.store.finish([Finished(owed, READY, returned=True)])
        [row] = subject.rows()
        assert (row.state, row.attempts, row.error) == (READY, 1, "ValueError: no")
        [owed] = claim(subject.store).owed
        assert owed.attempts == 2

    def test_each_of_a_batch_has_its_own_outcome(self, subject: Subject) -> None:
        owed = _owed(subject, 4)
        outcomes = [DONE, DEAD, READY, DONE]
        results = [Finished(each, state) for each, state in zip(owed, outcomes, strict=True)]
        assert subject.store.finish(results) == 0
        assert [(row.id, row.state) for row in subject.rows()] == [
            (owed[1].id, DEAD),
            (owed[2].id, READY),
        ]

    @pytest.mark.parametrize("state", [DONE, DEAD, READY])
    def test_what_is_settled_is_not_settled_again(self, subject: Subject, state: str) -> None:
        [owed] = _owed(subject)
        assert subject.store.finish([Finished(owed, state)]) == 0
        before = subject.rows()
        assert subject.store.finish([Finished(owed, DEAD, "late")]) == 1
        assert subject.rows() == before

    @pytest.mark.parametrize("state", [CANCELLED, None])
    def test_settling_what_an_operator_has_taken_away_is_told(
        self, subject: Subject, state: str | None
    ) -> None:
        owed = _owed(subject, 2)
        subject.change(owed[0].id, state)
        before = [row for row in subject.rows() if row.id == owed[0].id]
        assert subject.store.finish([Finished(each, DONE) for each in owed]) == 1
        assert subject.rows() == before

    def test_settling_is_undone_with_its_transaction(self, subject: Subject) -> None:
        [owed] = _owed(subject)
        with pytest.raises(StoppedError), subject.store.transaction():
            assert subject.store.finish([Finished(owed, DONE)]) == 0
            raise StoppedError
        assert subject.store.finish([Finished(owed, DONE)]) == 0

    def test_settling_is_undone_with_the_inner_transaction_alone(self, subject: Subject) -> None:
        first, second = _owed(subject, 2)
        with subject.store.transaction():
            subject.store.finish([Finished(first, DONE)])
            with pytest.raises(StoppedError), subject.store.transaction():
                subject.store.finish([Finished(second, DONE)])
                raise StoppedError
        assert [row.id for row in subject.rows()] == [second.id]

    def test_nothing_to_settle_is_no_trouble(self, subject: Subject) -> None:
        assert subject.store.finish([]) == 0


def _owed(subject: Subject, count: int = 1) -> list[Owed]:
    for _ in range(count):
        record(subject.store)
    return claim(subject.store).owed
