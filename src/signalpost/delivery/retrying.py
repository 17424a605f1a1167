"""When a failed delivery is run again."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

#: Gives the seconds to wait after an attempt, which counts from 1.
Backoff: TypeAlias = Callable[[int], float]

HOUR = 3600.0
#: The most seconds that a delivery waits, and that a run may take: a year.
LONGEST = 366 * 86_400.0


@dataclass(frozen=True)
class Exponential:
    """``base * factor ** (attempt - 1)``, at most `ceiling`, of which a random half is waited.

    The randomness spreads what failed together, as when a server was down.
    """

    base: float = 2.0
    factor: float = 2.0
    ceiling: float = HOUR
    uniform: Callable[[float, float], float] = random.uniform

    def __call__(self, attempt: int) -> float:
        # 64 doublings are beyond any ceiling, and floats end at 1,024 of them.
        wait = min(self.ceiling, self.base * self.factor ** min(attempt - 1, 64))
        return wait * self.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Steps:
    """The seconds to wait after each attempt; the last of them from then on."""

    seconds: tuple[float, ...]

    def __call__(self, attempt: int) -> float:
        return self.seconds[min(attempt, len(self.seconds)) - 1]


def backoff_from(value: Any) -> Backoff | None:
    """What ``backoff=`` means: seconds, a list of them, or a function of the attempt; None if neither."""
    if callable(value):
        return cast("Backoff", value)
    if _is_seconds(value):
        return Steps((float(value),))
    if isinstance(value, (list, tuple)):
        steps = cast("Sequence[Any]", value)
        if steps and all(_is_seconds(each) for each in steps):
            return Steps(tuple(float(each) for each in steps))
    return None


def _is_seconds(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 <= value < float("inf")
