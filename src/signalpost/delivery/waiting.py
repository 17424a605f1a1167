"""How a worker waits for work: it polls, seldom while there is none, and is woken by hints."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Wake:
    """Wakes those who wait. A hint: whoever misses it polls."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Wake whoever waits, or the next who does."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until woken; whether that was it."""
        woken = self._event.wait(seconds)
        self._event.clear()
        return woken


class Poll:
    """The time until the next look: short after work, doubling while there is none."""

    def __init__(self, shortest: float, longest: float) -> None:
        self.shortest = shortest
        self.longest = longest
        self._next = shortest

    def found(self) -> None:
        """There was work."""
        self._next = self.shortest

    def nothing(self) -> float:
        """There was none: seconds to wait."""
        seconds, self._next = self._next, min(self._next * 2, self.longest)
        return seconds


class Every:
    """True once in so many seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.clock = clock
        self._last: float | None = None

    def __call__(self) -> bool:
        now = self.clock()
        if self._last is not None and now - self._last < self.seconds:
            return False
        self._last = now
        return True
