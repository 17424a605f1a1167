"""Samples are interleaved, and a low percentile of them counts."""

from __future__ import annotations

import gc

import pytest

from benchmarks.timing import Effort, interleave, low_percentile

from .fakes import EFFORT, FakeContender


def test_tenth_percentile_of_many_samples():
    assert low_percentile([float(value) for value in range(200, 0, -1)]) == 21


@pytest.mark.parametrize("count", [1, 7, 19])
def test_smallest_of_few_samples(count):
    assert low_percentile([float(value) for value in range(count, 0, -1)]) == 1


def test_each_round_takes_one_sample_of_every_contender():
    order: list[str] = []
    contenders = {
        "ours": FakeContender("ours", [5, 3, 4], order),
        "theirs": FakeContender("theirs", [9, 8, 7], order),
    }

    assert interleave(contenders, EFFORT) == {"ours": 3, "theirs": 7}

    rounds = [set(order[at : at + 2]) for at in range(0, len(order), 2)]
    assert rounds == [{"ours", "theirs"}] * 3


def test_rounds_end_when_the_time_is_up_but_not_before_the_least():
    hurried = Effort("fake", rounds=100, least_rounds=4, row_seconds=0, sample_ns=1)
    order: list[str] = []

    interleave({"ours": FakeContender("ours", [1] * 100, order)}, hurried)

    assert len(order) == 4


def test_collector_rests_during_samples_and_works_again_afterwards():
    seen = []

    class Watching(FakeContender):
        def sample(self) -> float:
            seen.append(gc.isenabled())
            return super().sample()

    interleave({"ours": Watching("ours", [1, 1, 1], [])}, EFFORT)

    assert seen == [False] * 3
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
