"""How far the claims of a lane have come, for a database in which what is gone stands in the way.

In PostgreSQL a claimed row leaves its entry at the front of the index until the table is vacuumed. Each
claim would pass over all of them: a million deliveries began at 17,000 a second, and ended at 5,000. So
while claims give as much as they may, the next one goes on behind the last. Once a second one begins at
the front again, for what has become due there since: a retry, say, or what a long transaction recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

#: In seconds.
FROM_THE_FRONT_EVERY = 1.0


class Mark(NamedTuple):
    """The last delivery of a claim, in the order of claims."""

    available_at: datetime
    id: int


class Progress:
    """By lane, behind which delivery the next claim begins. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: With each mark, until when it counts.
        self._marks: dict[str, tuple[Mark, float]] = {}

    def of(self, lane: str) -> Mark | None:
        """Behind which delivery to begin; None: at the front."""
        mark, until = self._marks.get(lane, (None, 0.0))
        return mark if self._clock() < until else None

    def note(self, lane: str, last: Mark | None, *, behind: Mark | None) -> None:
        """A claim that began there has given as much as it may, up to `last`; None: less than that."""
        if last is None:
            self._marks.pop(lane, None)
            return
        until = self._clock() + FROM_THE_FRONT_EVERY
        if behind is not None:
            # One that another thread has forgotten meanwhile isn't kept any longer.
            _, until = self._marks.get(lane, (None, 0.0))
        self._marks[lane] = last, until
