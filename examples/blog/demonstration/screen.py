"""How the demo looks on a terminal, in a pipe and in a log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

BOLD, QUIET, GREEN, RED = "1", "2", "32", "31"


class Screen:
    """Writes short, aligned lines to `out` and the error to `err`, each at once."""

    def __init__(
        self, out: TextIO, err: TextIO, *, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._out = out
        self._err = err
        self._environ = environ

    def title(self, text: str) -> None:
        self._write(self._paint(text, BOLD))

    def heading(self, text: str) -> None:
        self._write("\n" + self._paint(text, BOLD))

    def row(self, label: str, value: str, *, note: str = "", failed: bool = False) -> None:
        """Write one labelled value, with a quiet `note` after it."""
        shown = self._paint(printable(value), RED) if failed else printable(value)
        tail = "  " + self._paint(note, QUIET) if note else ""
        self._write(f"  {self._paint(label.ljust(9), QUIET)} {shown}{tail}")

    def line(self, text: str, *, failed: bool = False) -> None:
        """Write one line as it is, its indent too."""
        self._write("  " + (self._paint(printable(text), RED) if failed else printable(text)))

    def quote(self, text: str) -> None:
        """Write text that came from outside, each line marked; none can steer the terminal."""
        for line in text.split("\n"):
            self._write(f"  {self._paint('|', QUIET)} {printable(line)}")

    def done(self, text: str) -> None:
        self._write("\n" + self._paint(text, GREEN))

    def error(self, text: str) -> None:
        print(
            self._paint(f"error: {printable(text)}", RED, stream=self._err),
            file=self._err,
            flush=True,
        )

    def _write(self, line: str) -> None:
        print(line, file=self._out, flush=True)

    def _paint(self, text: str, style: str, *, stream: TextIO | None = None) -> str:
        if not self._is_coloured(stream or self._out):
            return text
        return f"\x1b[{style}m{text}\x1b[0m"

    def _is_coloured(self, stream: TextIO) -> bool:
        return (
            stream.isatty()
            and not self._environ.get("NO_COLOR")
            and self._environ.get("TERM") != "dumb"
        )


def printable(text: str) -> str:
    """Return `text` with what isn't printable (line ends, escape sequences) written as `\\x1b`."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
