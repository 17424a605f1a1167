"""What a worker's process runs: `tests.durable.processes` forks it from one that has Django loaded."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings

if not settings.configured and os.environ.get("SIGNALPOST_TEST_FORKSERVER"):
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.process_settings"
    os.environ["SIGNALPOST_TEST_DATABASE"] = "file"
    django.setup()

from signalpost import Signal

paid = Signal(name="tests.processes.paid")
#: The number that kills whoever receives it.
DEADLY = 666


def work(
    database: str,
    pipe: Any,
    connect: dict[str, Any],
    worker: dict[str, Any],
    kill_at: tuple[str, int] | None,
    stop_at: tuple[str, int] | None,
) -> None:
    """Work, as ``worker`` has it. Ends itself, or waits to be told to go on, at a step's n-th time."""
    from signalpost.delivery.worker import Settings
    from signalpost.django.working import make_worker

    steps = Steps(pipe, kill_at, stop_at)
    receive = receiver(database, steps)
    paid.connect(receive, durable="tests.receive", using=database, **connect)
    made = make_worker(database, Settings(**{"poll": (0.005, 0.02), **worker}), step=steps)
    signal.signal(signal.SIGTERM, lambda *_: made.stop())
    stats = made.run()
    pipe.send(f"done {stats.done}")


def receiver(
    database: str, step: Callable[[str], object] = lambda name: None
) -> Callable[..., None]:
    """A receiver that leaves a row behind, unless it is given what kills it.

    It has steps of its own beside the worker's: "received" and, with its row written, "affected".
    """
    from tests.durable.workers import affect

    def receive(number: int, **kwargs: Any) -> None:
        if number == DEADLY:
            die()
        step("received")
        affect(database, number)
        step("affected")

    return receive


class Steps:
    """Counts the steps, up to the one at which something is to happen."""

    def __init__(
        self, pipe: Any, kill_at: tuple[str, int] | None, stop_at: tuple[str, int] | None
    ) -> None:
        self.pipe = pipe
        self.kill_at = kill_at
        self.stop_at = stop_at
        self.counts: dict[str, int] = {}

    def __call__(self, name: str) -> None:
        count = self.counts[name] = self.counts.get(name, 0) + 1
        if (name, count) == self.kill_at:
            die()
        if (name, count) == self.stop_at:
            self.pipe.send(name)
            self.pipe.recv()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
