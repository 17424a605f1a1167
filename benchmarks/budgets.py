"""A budget is a limit on one figure or on the ratio of two; a verdict says how it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from benchmarks.timing import Figures

TOLERANCE: Final = 0.15
"""A budget missed by no more than this fraction is reported, and doesn't fail a check."""

Outcome = Literal["met", "close", "MISSED"]


@dataclass(frozen=True, slots=True)
class Budget:
    """`of` may cost at most `at_most` times what `against` costs, or must be at least `at_least`
    times as fast. Without `against`, `at_most` is the figure itself."""

    of: str
    against: str | None = None
    at_most: float | None = None
    at_least: float | None = None
    unit: str = "×"
    #: Whether it is a rate of this machine, and no ratio: what else runs there counts. A full run, for
    #: which the machine is to be quiet, fails for it; a quick one only reports it.
    is_of_machine: bool = False

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError(
                f"Budget of {self.of!r} has at_most={self.at_most} and at_least={self.at_least}: "
                "exactly one of them is expected. Give one."
            )

    def value(self, figures: Figures) -> float:
        """What is compared with the limit."""
        if self.against is None:
            return figures[self.of]
        if self.at_most is not None:
            return figures[self.of] / figures[self.against]
        return figures[self.against] / figures[self.of]

    def outcome(self, value: float) -> Outcome:
        if self.at_most is not None:
            limit, allowed = self.at_most, self.at_most * (1 + TOLERANCE)
            return "met" if value <= limit else "close" if value <= allowed else "MISSED"
        assert self.at_least is not None  # one of the two is given, see __post_init__
        limit, allowed = self.at_least, self.at_least * (1 - TOLERANCE)
        return "met" if value >= limit else "close" if value >= allowed else "MISSED"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One budget of one row, and what was measured."""

    budget: Budget
    value: float

    @property
    def outcome(self) -> Outcome:
        return self.budget.outcome(self.value)


def judge(budgets: Sequence[Budget], measurements: Sequence[Figures]) -> tuple[Verdict, ...]:
    """A verdict for each budget, on the median of its value over the measurements."""
    return tuple(
        Verdict(budget, median(budget.value(figures) for figures in measurements))
        for budget in budgets
    )
