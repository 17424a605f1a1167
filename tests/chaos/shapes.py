"""The kinds of workers that there are in a run."""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass, replace

STEPS = ("claimed", "running", "ran", "before settle", "settled")


@dataclass(frozen=True)
class Shape:
    """What kind of worker one is."""

    threads: int
    batch: int
    lanes: tuple[str, ...]
    lease: float
    #: Whether it is run by the management command.
    command: bool
    #: The step at which it kills or stops itself, when it comes there for the so-manieth time.
    failpoint: str = ""
    countdown: int = 0
    signal: int = signal.SIGKILL


def shape_of(chance: random.Random, lease: float, *, armed: bool, stops: bool) -> Shape:
    """A worker as chance wants it; one that is not armed settles whatever is left, in each lane."""
    lanes = chance.choice(((), (), ("default",), ("mail", "default")))
    shape = Shape(
        threads=chance.choice((1, 2, 4)),
        batch=chance.choice((1, 10, 100)),
        lanes=lanes if armed else (),
        lease=lease,
        command=chance.random() < 0.5,
    )
    if not armed or chance.random() < 0.6:
        return shape
    step = chance.choice(STEPS)
    countdown = chance.randint(1, 200 if step in {"running", "ran"} else 30)
    if stops and chance.random() < 0.5:
        return replace(shape, failpoint=step, countdown=countdown, signal=signal.SIGSTOP)
    return replace(shape, failpoint=step, countdown=countdown)
