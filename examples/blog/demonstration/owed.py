"""What is owed, as the tables of durable delivery have it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from demonstration.errors import DemoError
from demonstration.worker import Worker

SECONDS_TO_WAIT = 25
SECONDS_BETWEEN_LOOKS = 0.02


@dataclass(frozen=True, slots=True)
class Owed:
    """One row of the deliveries."""

    signal: str
    receiver: str
    state: str
    attempts: int
    max_attempts: int
    error: str
    #: Seconds until it may be run again.
    due_in: float

    @property
    def problem(self) -> str:
        """The error without the line that raised it."""
        return self.error.partition(" (at ")[0]


def deliveries() -> list[Owed]:
    """Return what is owed just now; what was delivered has no row any more."""
    # Django's models can be imported once Django is set up, not before.
    from signalpost.django.models import Delivery

    return [
        Owed(
            row.message.topic,
            row.receiver,
            row.state,
            row.attempts,
            row.max_attempts,
            row.last_error,
            (row.available_at - datetime.now(UTC)).total_seconds(),
        )
        for row in Delivery.objects.select_related("message").order_by("pk")
    ]


def wait_for_failure(worker: Worker, *, beyond: int) -> Owed:
    """Return the delivery once an attempt has failed that counts more than `beyond`."""
    for found in _look(worker, what=f"attempt {beyond + 1} hasn't been made"):
        for owed in found:
            if owed.state != "claimed" and owed.error and owed.attempts > beyond:
                return owed
    raise AssertionError  # _look has raised


def wait_until_settled(worker: Worker) -> None:
    """Return once nothing is owed any more."""
    for found in _look(worker, what="the mail is still owed"):
        if not found:
            return


def _look(worker: Worker, *, what: str) -> Iterator[list[Owed]]:
    """Yield what is owed, again and again; raise a DemoError when that has taken too long."""
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < deadline:
        yield deliveries()
        worker.require()
        time.sleep(SECONDS_BETWEEN_LOOKS)
    raise DemoError(
        f"After {SECONDS_TO_WAIT} s {what}. The worker's last words: {worker.last_words()}"
    )
