"""The async receivers of a claim: awaited together, but for those of one key, which follow each other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent import futures
from typing import TYPE_CHECKING

from signalpost.delivery import execution
from signalpost.delivery.execution import Ready
from signalpost.delivery.sizing import AWAITING_BUDGET
from signalpost.delivery.store import DONE, Finished, Owed

if TYPE_CHECKING:
    from signalpost.delivery.batch import Batch, Due

logger: logging.Logger = logging.getLogger("signalpost.worker")


def run(batch: Batch, owed: Sequence[Due]) -> None:
    """Run them in rounds: in each the first of each key, and in the first all that have none."""
    chains: dict[object, deque[Due]] = {}
    for due in owed:
        each = due.owed
        key: object = each.id if each.key is None else (each.receiver, each.key)
        chains.setdefault(key, deque()).append(due)
    while chains:
        started: list[Ready] = []
        for key, chain in list(chains.items()):
            ready: Ready | None = None
            while chain and ready is None:
                # In this thread, where the database may be asked for instances.
                ready = batch.begin(chain.popleft(), AWAITING_BUDGET)
            if ready is not None:
                started.append(ready)
            if not chain:
                del chains[key]
        if started:
            _Round(batch, started).run()


class _Round:
    """Those that run at the same time."""

    def __init__(self, batch: Batch, started: Sequence[Ready]) -> None:
        self.batch = batch
        self.started = started
        #: Those of which nothing is noted yet.
        self.waiting: dict[int, Owed] = {ready.owed.id: ready.owed for ready in started}
        self.failures = 0

    def run(self) -> None:
        """Await them all, and settle meanwhile what has ended."""
        batch, runner = self.batch, self.batch.runner
        batch.begun += len(self.started)
        started = runner.clock()
        try:
            runner.on_loop(self._await_all(), batch.settling.finish_meanwhile)
        except (asyncio.CancelledError, futures.CancelledError):
            logger.warning("A receiver has cancelled all tasks of the event loop")
        batch.awaited += runner.clock() - started
        for owed in self.waiting.values():  # cancelled before it began
            batch.settling.hand_back(owed)
        if self.failures:
            try:
                runner.on_loop(runner.checks.aclean(), _nothing)
            except Exception as error:  # noqa: BLE001 - what has run is to be settled all the same
                logger.warning("Cannot clean up after async receivers: %s", error)

    async def _await_all(self) -> None:
        # Each in a task, and so in a context, of its own.
        runs = [self._await_one(ready) for ready in self.started]
        await asyncio.gather(*runs, return_exceptions=True)

    async def _await_one(self, ready: Ready) -> None:
        runner, settling = self.batch.runner, self.batch.settling
        limit = asyncio.timeout(ready.durable.options.timeout)
        runner.step("running")
        started = runner.clock()
        try:
            async with limit:
                await execution.arun(ready)
        except runner.catches as error:
            is_late = isinstance(error, TimeoutError) and limit.expired()
            failure = execution.late(ready) if is_late else error
            settling.fail(ready, failure, runner.clock() - started)
            self.failures += 1
            del failure  # its traceback leads back here: a circle, which would keep the payload
        else:
            runner.step("ran")
            settling.close(Finished(ready.owed, DONE), runner.clock() - started)
        del self.waiting[ready.owed.id]


def _nothing() -> None: ...
