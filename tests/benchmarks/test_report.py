"""Results are printed as Markdown tables."""

from __future__ import annotations

import pytest

from benchmarks.budgets import Budget
from benchmarks.report import number, render_table
from benchmarks.rows import Row, Table, run_row

from .fakes import EFFORT, FakeMeasure


def rendered(row: Row, **table) -> list[str]:
    whole = Table(**{"title": "Sending", "rows": (row,), "columns": ("ours", "theirs"), **table})
    return render_table(whole, [run_row(row, EFFORT)]).splitlines()


def test_table_shows_figures_budget_and_outcome():
    budget = Budget("ours", against="theirs", at_most=0.5)
    row = Row("1 receiver", FakeMeasure({"ours": 60, "theirs": 100}), (budget,))

    assert rendered(row, unit="ns", note="A note.") == [
        "### Sending",
        "",
        "| ns         | ours | theirs |      measured | budget |        |",
        "| ---------- | ---: | -----: | ------------: | -----: | ------ |",
        "| 1 receiver |   60 |    100 | 0.60 × theirs | ≤ 0.50 | MISSED |",
        "",
        "A note.",
    ]


def test_figures_are_divided_by_the_baseline():
    row = Row("1 receiver", FakeMeasure({"hand": 50, "ours": 60, "theirs": 100}))

    assert rendered(row, unit="× hand", baseline="hand")[-1].split("|")[2:4] == [
        " 1.20 ",
        "      2 ",
    ]


def test_contender_without_the_feature_gets_a_dash():
    row = Row("1 of 1,000 senders", FakeMeasure({"ours": 60}))

    assert rendered(row, unit="ns")[-1].split("|")[3].strip() == "–"


def test_each_further_budget_has_a_line_of_its_own():
    budgets = (
        Budget("ours", against="theirs", at_least=2),
        Budget("ours", at_most=350, unit="bytes"),
    )
    row = Row("memory", FakeMeasure({"ours": 100, "theirs": 250}), budgets)

    first, second = rendered(row, unit="bytes")[-2:]

    assert "2.50 × faster than theirs |    ≥ 2 | met" in first
    assert second.startswith("| … memory ")
    assert "100 bytes |  ≤ 350 | met" in second


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (3, "3"),
        (100_000, "100,000"),
        (1234.5, "1,234"),
        (12.34, "12.3"),
        (1.234, "1.23"),
        (0.123, "0.12"),
        (1 / 60, "0.0167"),
    ],
)
def test_numbers_have_three_digits_that_matter(value, text):
    assert number(value) == text
