"""A table of rows, and how one row comes to its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from benchmarks.budgets import Budget, Verdict, judge
from benchmarks.timing import Contender, Effort, Figures, interleave

REPEATS_OF_A_MISS: Final = 2

Measure = Callable[[Effort], Figures]
Setup = Callable[[], AbstractContextManager[Mapping[str, Contender]]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what is measured, and the budgets that it has to keep."""

    name: str
    measure: Measure
    budgets: tuple[Budget, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that share columns and a unit.

    Figures are divided by those of `baseline` where there is one, else by `divisor`.
    """

    title: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    unit: str
    baseline: str | None = None
    divisor: float = 1.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a row came to: the median of its measurements, one or three of them."""

    row: Row
    figures: Figures
    verdicts: tuple[Verdict, ...] = ()
    measurements: int = 1


def timed(setup: Setup, *, least_rounds: int | None = None) -> Measure:
    """A measure that sets its contenders up, interleaves them and clears them away.

    `least_rounds` overrules the effort's, for rows whose samples take long.
    """

    def measure(effort: Effort) -> Figures:
        if least_rounds is not None:
            effort = replace(effort, least_rounds=least_rounds)
        with setup() as contenders:
            return interleave(contenders, effort)

    return measure


def run_row(row: Row, effort: Effort) -> Result:
    """Measure a row. One that misses a budget is measured twice more, and the median counts."""
    measurements = [row.measure(effort)]
    if any(verdict.outcome != "met" for verdict in judge(row.budgets, measurements)):
        measurements += [row.measure(effort) for _ in range(REPEATS_OF_A_MISS)]
    return Result(row, _median(measurements), judge(row.budgets, measurements), len(measurements))


def _median(measurements: Sequence[Figures]) -> Figures:
    return {name: median(figures[name] for figures in measurements) for name in measurements[0]}
