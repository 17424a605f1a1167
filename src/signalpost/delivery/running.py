"""Claimed deliveries, run and finished: what a worker's threads do, and `drain` in a test.

Receivers are called in this thread, async ones on a loop; those that are ``atomic=True`` share one
transaction with their settling, all of a batch if none fails, else each its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from signalpost.delivery.batch import Batch
from signalpost.delivery.execution import Policy
from signalpost.delivery.leases import MARGIN, Lease
from signalpost.delivery.limits import Limits
from signalpost.delivery.store import Claim, Finished, Store
from signalpost.exceptions import GiveUp, Retry

logger: logging.Logger = logging.getLogger("signalpost.worker")

__all__ = ["MARGIN", "Checks", "Runner", "is_expected", "run_here"]


class Checks:
    """What the runner asks of the databases around a receiver. This one knows none."""

    def begin(self) -> None:
        """A receiver is about to run."""

    def broken(self) -> str | None:
        """What a receiver that has returned left behind, which loses its work; None if nothing."""
        return None

    def clean(self) -> bool:
        """Have the connections usable again; whether one had to be given up."""
        return False

    async def aclean(self) -> None:
        """Have those usable again that async receivers have used, on the loop."""

    async def aend(self) -> None:
        """Close those."""


def run_here(coroutine: Coroutine[Any, Any, Any], meanwhile: Callable[[], object]) -> Any:
    """Run it on a loop of its own, in this thread."""
    return asyncio.run(coroutine)


class Runner:
    """Runs what was claimed.

    `step` is told of each step, by name: tests stop the process there. `told` is told of each
    delivery that has ended, with its seconds and the error that it raised. `wait` waits so many
    seconds for a database that is away; without it, what the database raises is raised at once.
    What a receiver raises of `catches` is its failure, anything else ends the run.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        *,
        limits: Limits | None = None,
        checks: Checks | None = None,
        on_loop: Callable[[Coroutine[Any, Any, Any], Callable[[], object]], Any] = run_here,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
        step: Callable[[str], None] | None = None,
        told: Callable[[Finished, float, BaseException | None], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
        catches: tuple[type[BaseException], ...] = (
            Exception,
            SystemExit,
            asyncio.CancelledError,
        ),
    ) -> None:
        self.store = store
        self.policy = policy
        self.limits = limits
        self.checks: Checks = checks or Checks()
        self.on_loop = on_loop
        self.clock = clock
        self.wait = wait
        self.told = told
        self.stopping = stopping
        self.catches = catches
        self.step: Callable[[str], object] = step or _no_step

    def run(self, claim: Claim, deadline: float) -> Batch:
        """Run what was claimed and finish it.

        None is begun after `deadline`, by the clock: the leases end then.
        """
        return self.run_lease(Lease(claim, deadline))

    def run_lease(self, lease: Lease) -> Batch:
        """Run what was claimed and finish it, while the lease is renewed by another thread."""
        self.step("claimed")
        batch = Batch(self, lease)
        try:
            batch.run()
        finally:
            self.checks.clean()
        return batch

    def tell(self, result: Finished, seconds: float, error: BaseException | None) -> None:
        """Tell of a delivery that has ended. It is settled whatever becomes of that."""
        if self.told is None:
            return
        try:
            self.told(result, seconds, error)
        except Exception as problem:  # noqa: BLE001 - said above
            logger.warning("What is told of delivery #%d raised %r", result.owed.id, problem)


def _no_step(name: str) -> None: ...


def is_expected(error: BaseException | None) -> bool:
    """Whether the receiver has asked for what happens next, so that there is no fault to show."""
    return isinstance(error, (Retry, GiveUp))
