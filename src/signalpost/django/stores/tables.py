"""The names that statements are put together from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

DELIVERY, MESSAGE, SLOT = "signalpost_delivery", "signalpost_message", "signalpost_slot"
#: What `Owed` is made of, in its order but for the message's columns.
CLAIMED_COLUMNS = (
    "id, message_id, receiver, lane, slot, ordering_key, attempts, max_attempts, fence, last_error"
)
#: Before the values of new deliveries, in this order.
INSERT_DELIVERIES = (
    f"INSERT INTO {DELIVERY} (message_id, receiver, lane, slot, ordering_key, state, attempts, "
    "max_attempts, available_at, fence, claimed_by, last_error)"
)
#: How many rows one statement of housekeeping touches.
BATCH = 1000


def marks(values: Sequence[Any]) -> str:
    """The placeholders of a list of values."""
    return ", ".join(["%s"] * len(values))
