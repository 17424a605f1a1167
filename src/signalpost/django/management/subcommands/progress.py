"""A line that tells how far a command is: on a terminal only."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any, Self

#: It is written anew at most so often, in seconds.
EVERY = 0.1


class Line:
    """One line on a terminal that is written over; in a pipe, nothing.

    A context manager, which takes it away.
    """

    def __init__(self, stream: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.visible: bool = _is_terminal(stream)
        self._clock = clock
        self._shown = -EVERY
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.clear()

    def show(self, text: str) -> None:
        """Show this now, unless something was shown just before."""
        now = self._clock()
        if not self.visible or now - self._shown < EVERY:
            return
        self._shown = now
        text = text[: shutil.get_terminal_size().columns - 1]
        self._write(f"\r{text.ljust(self._width)}")
        self._width = len(text)

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._width:
            self._write(f"\r{' ' * self._width}\r")
            self._width = 0

    def _write(self, text: str) -> None:
        # Django's wrapper would colour what goes to stderr, and end it with a new line.
        self.stream.write(text, str, "")
        self.stream.flush()


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # it is closed, or never was a file
        return False
