"""Measurements that take no time and come out as told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from benchmarks.budgets import Budget
from benchmarks.rows import Row, Table
from benchmarks.timing import Effort, Figures
from benchmarks.versions import Versions

EFFORT = Effort("fake", rounds=3, least_rounds=3, row_seconds=0, sample_ns=1)

VERSIONS = Versions(
    python="3.11.7",
    django="5.2.19",
    peers=(("blinker", "1.9.0"),),
    machine="Linux x86_64, 2 cores",
    day=date(2026, 1, 2),
)

AT_MOST_HALF = Budget("ours", against="theirs", at_most=0.5)


class FakeMeasure:
    """Hands out one set of figures after the other, the last one again and again."""

    def __init__(self, *figures: Figures) -> None:
        self.calls = 0
        self._figures = figures

    def __call__(self, effort: Effort) -> Figures:
        self.calls += 1
        return self._figures[min(self.calls, len(self._figures)) - 1]


def ours_at(*times: float) -> FakeMeasure:
    """Ours takes so long, theirs always 100."""
    return FakeMeasure(*({"ours": time, "theirs": 100.0} for time in times))


def table(*rows: Row, title: str = "Sending") -> Table:
    return Table(title=title, rows=rows, columns=("ours", "theirs"), unit="ns")


def budgeted(measure: FakeMeasure, name: str = "1 receiver") -> Row:
    return Row(name, measure, (AT_MOST_HALF,))


class FakeContender:
    """Samples as told, and a record of when they were taken."""

    def __init__(self, name: str, samples: list[float], order: list[str]) -> None:
        self._name = name
        self._samples: Iterator[float] = iter(samples)
        self._order = order
        self.warm = False

    def warm_up(self, sample_ns: int) -> None:
        self.warm = True

    def sample(self) -> float:
        assert self.warm
        self._order.append(self._name)
        return next(self._samples)
