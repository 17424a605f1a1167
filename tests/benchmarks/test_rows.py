"""A row is measured once, and a row that misses a budget three times."""

from __future__ import annotations

import pytest

from benchmarks.rows import run_row

from .fakes import EFFORT, budgeted, ours_at


def test_row_that_keeps_its_budget_is_measured_once():
    measure = ours_at(40)

    result = run_row(budgeted(measure), EFFORT)

    assert measure.calls == result.measurements == 1
    assert [verdict.outcome for verdict in result.verdicts] == ["met"]


def test_row_missed_once_by_noise_is_met_by_the_median():
    measure = ours_at(90, 40, 45)

    result = run_row(budgeted(measure), EFFORT)

    assert measure.calls == result.measurements == 3
    (verdict,) = result.verdicts
    assert (verdict.value, verdict.outcome) == (pytest.approx(0.45), "met")
    assert result.figures == {"ours": 45, "theirs": 100}


def test_one_lucky_repeat_does_not_save_a_row():
    result = run_row(budgeted(ours_at(90, 80, 10)), EFFORT)

    (verdict,) = result.verdicts
    assert (verdict.value, verdict.outcome) == (pytest.approx(0.8), "MISSED")
