"""What a worker tells of its work, on the logger ``signalpost.worker``: names and numbers only."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from signalpost.delivery.running import is_expected
from signalpost.delivery.store import DEAD, DONE, Finished

logger: logging.Logger = logging.getLogger("signalpost.worker")

#: What became of a delivery, as a log line has it.
OUTCOMES = ("done", "skipped", "retried", "dead", "parked")


def tell(result: Finished, seconds: float, error: BaseException | None) -> None:
    """Log a delivery that has ended: a line, and its parts as attributes of the record.

    INFO where all went as it should, WARNING for one that failed and will be tried again, or that
    waits for its receiver, ERROR for one that is dead.
    """
    outcome = outcome_of(result)
    level = _level(outcome, error)
    if not logger.isEnabledFor(level):
        return
    with suppress(Exception):  # a filter or a handler of the project's: the delivery is made anyway
        _log(level, outcome, result, seconds, error)


def _log(
    level: int, outcome: str, result: Finished, seconds: float, error: BaseException | None
) -> None:
    owed = result.owed
    milliseconds = round(seconds * 1000, 3)
    # The class only: a message may hold anything that the receiver was given.
    failure = "" if error is None else type(error).__qualname__
    logger.log(
        level,
        "Delivery #%d of signal '%s' to '%s': %s, attempt %d of %d, %.1f ms%s",
        owed.id,
        owed.topic,
        owed.receiver,
        outcome,
        owed.attempts,
        owed.max_attempts,
        milliseconds,
        f" ({failure})" if failure else "",
        extra={
            "delivery": owed.id,
            "signal": owed.topic,
            "receiver": owed.receiver,
            "queue": owed.lane,
            "attempt": owed.attempts,
            "outcome": outcome,
            "milliseconds": milliseconds,
            "error": failure,
        },
    )


def outcome_of(result: Finished) -> str:
    """What became of it, in a word."""
    if result.state == DEAD:
        return "dead"
    if result.state == DONE:
        return "skipped" if result.error else "done"
    return "parked" if result.returned else "retried"


def is_heard() -> bool:
    """Whether somebody shows what the worker logs of its ordinary work."""
    return logger.isEnabledFor(logging.INFO) and logger.hasHandlers()


def _level(outcome: str, error: BaseException | None) -> int:
    if outcome == "dead":
        return logging.ERROR
    if outcome in ("done", "skipped") or is_expected(error):
        return logging.INFO
    return logging.WARNING


def event(name: str, text: str, **parts: Any) -> None:
    """Log that the worker starts or has stopped."""
    logger.info("%s", text, extra={"event": name, **parts})
