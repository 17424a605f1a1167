"""What has happened, in the order in which it did, in one file that all processes append to.

A process that is killed leaves each record whole or not at all: it is one write, and its size divides
a page's, so that the kernel never stops in its middle.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

SIZE = 256


class Event(NamedTuple):
    """One record. What a kind has no use for is empty."""

    kind: str
    #: By the clock that all processes of the machine share, in seconds.
    at: float
    #: The process that wrote it, or that it happened to.
    process: str
    #: The claim that a run belongs to, as "process/thread/number".
    batch: str = ""
    receiver: str = ""
    #: The sale that was sent.
    number: int = 0
    #: The delivery's id, as the receiver is told it.
    delivery: str = ""
    attempt: int = 0
    note: str = ""


class History:
    """Appends records to a file, for as many processes as have it open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, kind: str, process: str, *, at: float | None = None, **fields: object) -> None:
        """Write one record."""
        event = Event(kind, time.monotonic() if at is None else at, process, **fields)  # type: ignore[arg-type]
        line = "\t".join(
            f"{value:.6f}" if isinstance(value, float) else _plain(str(value)) for value in event
        ).encode("ascii", "replace")
        written = os.write(self._file, line[: SIZE - 1].ljust(SIZE - 1) + b"\n")
        if written != SIZE:
            raise OSError(f"Only {written} of {SIZE} bytes were written to {self.path}.")

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(path: Path) -> Iterator[Event]:
    """The records of a file. Raises a ValueError where one isn't whole."""
    with path.open("rb") as file:
        while record := file.read(SIZE):
            if len(record) != SIZE or record[-1:] != b"\n":
                raise ValueError(f"{path} has a record that isn't whole: {record!r}")
            parts = record.decode("ascii").rstrip().split("\t")
            parts += [""] * (len(Event._fields) - len(parts))
            kind, at, process, batch, receiver, number, delivery, attempt, note = parts
            yield Event(
                kind,
                float(at),
                process,
                batch,
                receiver,
                int(number),
                delivery,
                int(attempt),
                note,
            )


def _plain(text: str) -> str:
    return text.replace("\t", " ").replace("\n", " ")
