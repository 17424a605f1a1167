"""What this process writes into the history, under its name."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

from tests.chaos.history import History

#: The claim whose deliveries are run. Async receivers, on their loop, see that of their thread.
batch: ContextVar[str] = ContextVar("batch", default="")

_told: list[tuple[History, str]] = []


def begin(path: Path, process: str) -> None:
    """Write to that file from now on, as that process."""
    _told[:] = [(History(path), process)]


def process() -> str:
    """The name of this process."""
    return _told[0][1]


def tell(kind: str, **fields: object) -> None:
    """Write one record, now."""
    history, name = _told[0]
    history.note(kind, name, batch=batch.get(), **fields)
