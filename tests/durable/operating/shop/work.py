"""The signals and the receivers, which aren't connected by importing this."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from signalpost import Signal
from tests.store.models import Customer

ordered = Signal(name="tests.shop.ordered")
#: How long a receiver holds its worker at the most, in seconds.
HELD = 30.0


def note(sender: Any, number: int, using: str, **kwargs: Any) -> None:
    """Leaves a row."""
    Customer.objects.using(using).create(name=f"customer {number}")


def hold(sender: Any, begun: str, release: str, **kwargs: Any) -> None:
    """Makes one file, and runs until another is there."""
    Path(begun).touch()
    deadline = time.monotonic() + HELD
    while not Path(release).exists() and time.monotonic() < deadline:
        time.sleep(0.005)
