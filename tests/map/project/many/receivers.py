"""As many signals as ``MAP_SIGNALS`` says, in 40 apps, each with two receivers in other apps.

Found as every app's receivers are.
"""

from __future__ import annotations

import os
from typing import Any

import signalpost

APPS = 40
KEPT: list[Any] = []


def make_receiver(app: int, number: int) -> Any:
    def receiver(**kwargs: Any) -> None: ...

    receiver.__module__ = f"app{app:02}.receivers"
    receiver.__qualname__ = f"receive_{number}"
    return receiver


for number in range(int(os.environ.get("MAP_SIGNALS", "0"))):
    app = number % APPS
    signal = signalpost.Signal(name=f"app{app:02}.signals.signal_{number}")
    for other in (app, (app + 1 + number // APPS) % APPS):
        receiver = make_receiver(other, number)
        signal.connect(receiver)
        KEPT.append(receiver)
    KEPT.append(signal)
