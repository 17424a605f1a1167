"""Results as Markdown tables that also read well on a screen."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.budgets import Budget, Verdict
from benchmarks.rows import Result, Table

ABSENT = "–"


def render_table(table: Table, results: Sequence[Result]) -> str:
    """One table: a line for each row, and another for each further budget of that row."""
    header = [table.unit, *table.columns, "measured", "budget", ""]
    lines = [line for result in results for line in _lines(table, result)]
    text = [f"### {table.title}", "", *_aligned(header, lines)]
    if table.note:
        text += ["", table.note]
    return "\n".join(text)


def _lines(table: Table, result: Result) -> list[list[str]]:
    cells = [_cell(table, result, column) for column in table.columns]
    if not result.verdicts:
        return [[result.row.name, *cells, "", "", ""]]
    first, *others = result.verdicts
    lines = [[result.row.name, *cells, *describe(first)]]
    empty = [""] * len(cells)
    return lines + [[f"… {result.row.name}", *empty, *describe(verdict)] for verdict in others]


def _cell(table: Table, result: Result, column: str) -> str:
    if column not in result.figures:
        return ABSENT
    divisor = table.divisor if table.baseline is None else result.figures[table.baseline]
    return number(result.figures[column] / divisor)


def describe(verdict: Verdict) -> list[str]:
    """What was measured, the budget and the outcome, one cell each."""
    budget = verdict.budget
    return [
        f"{number(verdict.value)} {_measured_as(budget)}".rstrip(),
        limit(budget),
        verdict.outcome,
    ]


def _measured_as(budget: Budget) -> str:
    if budget.against is None:
        return budget.unit
    if budget.at_most is not None:
        return f"× {budget.against}"
    return f"× faster than {budget.against}"


def limit(budget: Budget) -> str:
    if budget.at_most is not None:
        return f"≤ {number(budget.at_most)}"
    assert budget.at_least is not None  # a budget has one of the two
    return f"≥ {number(budget.at_least)}"


def number(value: float) -> str:
    """Three digits that matter."""
    if value == int(value) and abs(value) < 1_000_000:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.4f}"


def _aligned(header: list[str], lines: list[list[str]]) -> list[str]:
    """A Markdown table; the first and the last column are words, the others are numbers."""
    table = [header, *lines]
    widths = [max(3, *(len(line[at]) for line in table)) for at in range(len(header))]
    is_word = [at in (0, len(header) - 1) for at in range(len(header))]
    rule = [
        "-" * width if word else "-" * (width - 1) + ":"
        for width, word in zip(widths, is_word, strict=True)
    ]
    padded = [
        [
            cell.ljust(width) if word else cell.rjust(width)
            for cell, width, word in zip(line, widths, is_word, strict=True)
        ]
        for line in table
    ]
    return [f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]]]
