"""A budget holds what was measured against its limit."""

from __future__ import annotations

import pytest

from benchmarks.budgets import Budget, judge

FASTER = Budget("ours", against="theirs", at_least=2)
CHEAPER = Budget("ours", against="theirs", at_most=0.5)
SMALL = Budget("ours", at_most=350, unit="bytes")


@pytest.mark.parametrize(
    ("ours", "outcome"),
    [(50, "met"), (50.1, "close"), (57.4, "close"), (57.6, "MISSED"), (500, "MISSED")],
)
def test_at_most_is_missed_beyond_fifteen_percent_above_it(ours, outcome):
    (verdict,) = judge([CHEAPER], [{"ours": ours, "theirs": 100}])

    assert verdict.outcome == outcome
    assert verdict.value == pytest.approx(ours / 100)


@pytest.mark.parametrize(
    ("ours", "outcome"),
    [(10, "met"), (50, "met"), (50.1, "close"), (58.8, "close"), (58.9, "MISSED")],
)
def test_at_least_is_missed_beyond_fifteen_percent_below_it(ours, outcome):
    (verdict,) = judge([FASTER], [{"ours": ours, "theirs": 100}])

    assert verdict.outcome == outcome
    assert verdict.value == pytest.approx(100 / ours)


@pytest.mark.parametrize(("size", "outcome"), [(350, "met"), (351, "close"), (403, "MISSED")])
def test_budget_without_a_reference_is_about_the_figure_itself(size, outcome):
    (verdict,) = judge([SMALL], [{"ours": size}])

    assert (verdict.value, verdict.outcome) == (size, outcome)


def test_budget_of_nothing_at_all_allows_no_exception():
    none = Budget("ours", at_most=0)

    assert none.outcome(0) == "met"
    assert none.outcome(1) == "MISSED"


def test_median_of_the_ratios_counts_not_the_ratio_of_the_medians():
    figures = [
        {"ours": 40, "theirs": 100},  # 0.40
        {"ours": 90, "theirs": 150},  # 0.60: the machine was slow for both
        {"ours": 45, "theirs": 100},  # 0.45
    ]

    (verdict,) = judge([CHEAPER], figures)

    assert verdict.value == pytest.approx(0.45)


@pytest.mark.parametrize("limits", [{}, {"at_most": 1, "at_least": 1}])
def test_budget_needs_exactly_one_limit(limits):
    with pytest.raises(ValueError, match=r"Budget of 'ours' has at_most=.* exactly one"):
        Budget("ours", **limits)
