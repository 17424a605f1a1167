"""Take many short samples of several contenders, interleaved, and keep a low percentile of each.

The machine's noise only ever adds time, and it comes in waves (another process, a clock that
steps down). So each round takes one short sample of every contender, in a new order, and the
figure of a contender is the 10th percentile of its samples: what it costs on a quiet machine,
measured in the same seconds as its neighbours. Garbage collection is off during the samples and
runs between the rounds.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

PERCENTILE: Final = 10

Figures = dict[str, float]
"""What one operation costs, by the name of the contender."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a run may look at one row."""

    name: str
    rounds: int
    least_rounds: int
    row_seconds: float
    sample_ns: int


QUICK: Final = Effort("quick", rounds=150, least_rounds=7, row_seconds=0.6, sample_ns=150_000)
FULL: Final = Effort("full", rounds=800, least_rounds=15, row_seconds=3.0, sample_ns=300_000)


class Contender(Protocol):
    """Something that can be timed again and again."""

    def warm_up(self, sample_ns: int) -> None:
        """Reach the steady state and choose how many operations make one sample."""

    def sample(self) -> float:
        """Nanoseconds of one operation, measured once."""


def interleave(contenders: Mapping[str, Contender], effort: Effort) -> Figures:
    """The low percentile of each contender's samples, in nanoseconds an operation."""
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    shuffle = random.Random(len(order)).shuffle
    with _collector_between_rounds():
        for contender in contenders.values():
            contender.warm_up(effort.sample_ns)
        deadline = time.monotonic() + effort.row_seconds
        for done in range(effort.rounds):
            if done >= effort.least_rounds and time.monotonic() > deadline:
                break
            shuffle(order)
            for name in order:
                samples[name].append(contenders[name].sample())
            gc.collect()
    return {name: low_percentile(values) for name, values in samples.items()}


def low_percentile(values: list[float]) -> float:
    """The value below which a tenth of the samples lie; of ten samples or fewer, the smallest."""
    return sorted(values)[max(0, len(values) * PERCENTILE // 100 - (len(values) < 20))]


@contextmanager
def _collector_between_rounds() -> Iterator[None]:
    # Frozen, so that a collection between two rounds looks only at what the samples left behind,
    # not at all of Django.
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
