"""The names that statements are put together from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

DELIVERY, MESSAGE, SLOT = "signalpost_delivery", "signalpost_message", "signalpost_slot"
#: What `Owed` is made of, in its order but for the message's columns.
CLAIMED_COLUMNS = (
    "id, message_id, receiver, lane, slot, ordering_key, attempts, max_attempts, fence, last_error"
)
#: How many rows one statement of housekeeping touches.
BATCH = 1000


def marks(values: Sequence[Any]) -> str:
    """The placeholders of a list of values."""
    return ", ".join(["%s"] * len(values))


class Statements(dict[int, str]):
    """Statements by the number of their rows. They are kept: to make one takes 2 µs."""

    def __init__(self, make: Callable[[int], str]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, count: int) -> str:
        made = self[count] = self.make(count)
        return made
