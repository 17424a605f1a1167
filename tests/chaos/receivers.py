"""One receiver of each kind. Each run that comes to its end is told, with what is needed to judge it.

Those that fail do so by the sale's number, at first attempts only, so that no bad luck kills a
delivery.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from typing import Any

from signalpost import Signal, receiver
from tests.chaos import telling
from tests.chaos.models import Effect

sold = Signal(name="chaos.sold")
poisoned = Signal(name="chaos.poisoned")

#: The receivers of `sold`, by their keys.
ATOMIC = frozenset({"atomic", "keyed_atomic"})
ORDERED = frozenset({"keyed", "keyed_atomic"})
OUTSIDE = frozenset({"plain", "keyed", "lasting", "skipping", "awaited", "flaky"})
POISON = "poison"
POISON_ATTEMPTS = 3
#: So few that they follow each other closely.
LINES = tuple(f"line-{number}" for number in range(6))

_SOON = [0.02, 0.1]

#: The seconds of a run that outlasts its lease, so that it is renewed. A worker's process sets it.
outlasting: list[float] = [0.0]


class Refused(Exception):
    """A receiver's own failure, to be retried."""


def text_of(number: int) -> str:
    """What a sale is sent with, so that one that was mangled shows."""
    return f"№ {number:x} é 😀 \\\"'%s"


@receiver(sold, durable="plain")
def note_plainly(number: int, text: str, delivery: Any, **kwargs: Any) -> None:
    _work()
    if number % 17 == 0:
        time.sleep(0.1)  # so that one who was stopped comes back while another has it
    _tell_run(number, text, delivery)


# With as many attempts as it takes: some runs last longer than most workers live here.
@receiver(sold, durable="lasting", max_attempts=1000)
def note_after_a_while(number: int, text: str, delivery: Any, **kwargs: Any) -> None:
    if number % 97 == 0:
        time.sleep(outlasting[0])
    _tell_run(number, text, delivery)


@receiver(sold, durable="atomic", atomic=True, backoff=_SOON)
def add_effect(number: int, text: str, delivery: Any, **kwargs: Any) -> None:
    _add_effect(number, text, delivery)
    _fail_first(number % 11 == 0, number, delivery)


@receiver(sold, durable="keyed", key="line", backoff=_SOON)
def note_in_order(number: int, text: str, delivery: Any, **kwargs: Any) -> None:
    _fail_first(number % 7 == 0, number, delivery)
    _work()
    _tell_run(number, text, delivery)


@receiver(sold, durable="keyed_atomic", key="line", atomic=True, backoff=_SOON)
def add_effect_in_order(number: int, text: str, delivery: Any, **kwargs: Any) -> None:
    _add_effect(number, text, delivery)
    _fail_first(number % 13 == 0, number, delivery)


@receiver(sold, durable="skipping", key="line", on_failure="skip", backoff=_SOON)
def note_mostly_in_order(number: int, text: str, delivery: Any, **kwargs: Any) -> None:
    _fail_first(number % 5 == 0, number, delivery)
    _tell_run(number, text, delivery)


@receiver(sold, durable="awaited", queue="mail", timeout=30)
async def note_on_the_loop(number: int, text: str, delivery: Any, **kwargs: Any) -> None:
    await asyncio.sleep(random.random() * 0.01)
    _tell_run(number, text, delivery)


@receiver(sold, durable="flaky", queue="mail", backoff=_SOON, timeout=30)
def note_after_failures(number: int, text: str, delivery: Any, **kwargs: Any) -> None:
    _fail_first(delivery.attempt <= number % 4, number, delivery, first=3)
    _tell_run(number, text, delivery)


@receiver(poisoned, durable=POISON, max_attempts=POISON_ATTEMPTS, backoff=_SOON)
def kill_the_worker(number: int, delivery: Any, **kwargs: Any) -> None:
    _tell("poison", number, delivery)
    os.kill(os.getpid(), signal.SIGKILL)


def _work() -> None:
    time.sleep(random.random() * 0.004)


def _fail_first(fails: bool, number: int, delivery: Any, *, first: int = 1) -> None:
    if fails and delivery.attempt <= first:
        _tell("failed", number, delivery)
        raise Refused("not yet")


def _add_effect(number: int, text: str, delivery: Any) -> None:
    Effect.objects.create(receiver=delivery.receiver, number=number)
    if text != text_of(number):
        _tell("mangled", number, delivery)


def _tell_run(number: int, text: str, delivery: Any) -> None:
    _tell("run" if text == text_of(number) else "mangled", number, delivery)


def _tell(kind: str, number: int, delivery: Any) -> None:
    telling.tell(
        kind,
        receiver=delivery.receiver,
        number=number,
        delivery=str(delivery.id),
        attempt=delivery.attempt,
    )
