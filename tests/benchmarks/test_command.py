"""`python -m benchmarks`: what it prints, writes and exits with."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from benchmarks import command
from benchmarks.budgets import Budget
from benchmarks.command import main, run
from benchmarks.rows import Row
from benchmarks.timing import QUICK

from .fakes import EFFORT, VERSIONS, budgeted, ours_at, table

KEPT = table(budgeted(ours_at(40)))
CLOSE = table(budgeted(ours_at(55)))
MISSED = table(budgeted(ours_at(40)), budgeted(ours_at(90), name="10 receivers"))


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results.md"


@pytest.fixture
def run_tables(results):
    def run_them(*tables, check=True, only=None):
        return run(tables, EFFORT, only=only, check=check, results_path=results, versions=VERSIONS)

    return run_them


@pytest.mark.parametrize(("measured", "code"), [(KEPT, 0), (CLOSE, 0), (MISSED, 1)])
def test_check_fails_where_a_budget_is_missed_by_more_than_fifteen_percent(
    run_tables, measured, code
):
    assert run_tables(measured) == code


@pytest.mark.parametrize(("effort", "code"), [(QUICK, 0), (EFFORT, 1)])
def test_quick_check_does_not_fail_for_a_rate_of_the_machine(results, capsys, effort, code):
    rate = Budget("ours", at_least=1_000, unit="a second", is_of_machine=True)
    rates = table(Row("rate", ours_at(100), (rate,)))

    ended = run((rates,), effort, only=None, check=True, results_path=results, versions=VERSIONS)

    assert ended == code
    assert "MISSED" in capsys.readouterr().out


def test_check_names_the_missed_rows_and_no_others(run_tables, capsys):
    run_tables(MISSED)

    complaints = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("Budget missed")
    ]
    assert complaints == [
        "Budget missed: Sending: 10 receivers: 0.90 × theirs, budget ≤ 0.50",
    ]


def test_without_check_a_missed_budget_is_reported_only(run_tables, capsys):
    assert run_tables(MISSED, check=False) == 0
    assert "MISSED" in capsys.readouterr().out


def test_screen_and_file_hold_the_same_tables(run_tables, results, capsys):
    run_tables(KEPT, table(budgeted(ours_at(45)), title="Awaiting"))

    printed = capsys.readouterr().out.strip()
    tables = printed[printed.index("###") :]
    assert "### Sending" in tables
    assert "### Awaiting" in tables
    assert tables in results.read_text(encoding="utf-8")


@pytest.mark.parametrize("pattern", ["10 rec", "sending: 10*"])
def test_only_measures_the_rows_that_match_and_leaves_the_file(
    run_tables, results, capsys, pattern
):
    fast, slow = ours_at(40), ours_at(90)

    assert run_tables(table(budgeted(fast), budgeted(slow, name="10 receivers")), only=pattern) == 1

    assert (fast.calls, slow.calls) == (0, 3)
    assert not results.exists()
    assert "results.md is left as it was" in capsys.readouterr().err


def test_only_that_matches_nothing_is_an_error(run_tables, capsys):
    assert run_tables(KEPT, only="recievers") == 2
    assert "No row matches --only 'recievers'" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "code"), [(["--quick", "--check"], 1), (["--quick"], 0)])
def test_command_exits_with_what_the_check_found(monkeypatch, results, arguments, code):
    monkeypatch.setitem(sys.modules, "benchmarks.tables", SimpleNamespace(TABLES=(MISSED,)))
    monkeypatch.setattr(command, "RESULTS", results)

    assert main(arguments) == code
    assert "quick run" in results.read_text(encoding="utf-8")
