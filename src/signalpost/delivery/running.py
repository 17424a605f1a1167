"""Claimed deliveries, run and finished: what a worker's threads do, and `drain` in a test.

Receivers are called in this thread, async ones on a loop; those that are ``atomic=True`` share one
transaction with their settling, all of a batch if none fails, else each its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from signalpost.delivery import execution
from signalpost.delivery.execution import Policy, Ready
from signalpost.delivery.store import (
    DEAD,
    DONE,
    READY,
    Claim,
    Fenced,
    Finished,
    Owed,
    Slot,
    Store,
)
from signalpost.exceptions import DeliveryTimeout, GiveUp, Retry

if TYPE_CHECKING:
    from signalpost.delivery.limits import Limits

logger = logging.getLogger("signalpost.worker")

#: After so many seconds of work a batch is settled, and what it hasn't begun is handed back.
BUDGET = 0.25
#: A delivery isn't begun where its lease has less than this to run, in seconds.
MARGIN = 5.0


class TransactionLost(Exception):
    """A receiver left the transaction, or the connection, so that nothing more can be done in it."""


class Checks:
    """What the runner asks of the databases around a receiver. This one knows none."""

    def begin(self) -> None:
        """A receiver is about to run."""

    def broken(self) -> str | None:
        """What a receiver that has returned left behind, which loses its work; None if nothing."""
        return None

    def clean(self) -> None:
        """Have the connections usable again."""


class Runner:
    """Runs what was claimed.

    `step` is told of each step, by name: tests stop the process there. `told` is told of each
    delivery that has ended, with its seconds and the error that it raised.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        *,
        limits: Limits | None = None,
        checks: Checks | None = None,
        on_loop: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
        clock: Callable[[], float] = time.monotonic,
        step: Callable[[str], None] | None = None,
        told: Callable[[Finished, float, BaseException | None], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.store = store
        self.policy = policy
        self.limits = limits
        self.checks = checks or Checks()
        self.on_loop = on_loop
        self.clock = clock
        self.step = step
        self.told = told
        self.stopping = stopping

    def run(self, claim: Claim, deadline: float) -> Batch:
        """Run what was claimed and finish it.

        None is begun after `deadline`, by the clock: the leases end then.
        """
        if self.step is not None:
            self.step("claimed")
        batch = Batch(self, deadline)
        try:
            batch.run(claim)
        finally:
            self.checks.clean()
        return batch


class Batch:
    """One claim, on its way to being finished."""

    def __init__(self, runner: Runner, deadline: float) -> None:
        self.runner = runner
        self.deadline = deadline
        self.started = runner.clock()
        #: How many deliveries were begun.
        self.begun = 0
        #: The seconds that async receivers were awaited.
        self.awaited = 0.0
        self.results: list[Finished] = []
        self.held: set[tuple[str, str]] = set()

    def run(self, claim: Claim) -> None:
        """Run it all, as far as the budget of time and the leases allow."""
        groups, put_back = _isolate(claim)
        self.results += [Finished(each, READY, returned=True) for each in put_back]
        if put_back or len(groups) > 1:
            self.finish(())  # first, so that a crash in what follows doesn't count for them
        for group in groups[:-1]:
            self._run_group(group, ())
            self.finish(())
        slots = [] if self._run_group(groups[-1], claim.slots) else claim.slots
        self.finish(slots)

    def _run_group(self, owed: Sequence[Owed], slots: Sequence[Slot]) -> bool:
        """Run these; whether that has finished them, and given the slots back."""
        opened: list[Ready] = []
        for each in owed:
            ready = execution.open_owed(each, self.runner.policy)
            if isinstance(ready, Finished):
                self._close(ready, 0.0, None)
            else:
                opened.append(ready)
        together = [each for each in opened if each.durable.options.atomic]
        alone = [each for each in opened if not each.durable.options.atomic]
        if together and not alone and self._run_together(together, slots):
            return True
        if together and (not alone or not self._run_together(together, ())):
            self._run_each_atomic(together)
        self._run_sync([each for each in alone if not each.call.rules.is_async])
        self._run_async([each for each in alone if each.call.rules.is_async])
        return False

    # --------------------------------------------------------------------------- kinds of runs

    def _run_together(self, batch: Sequence[Ready], slots: Sequence[Slot]) -> bool:
        """Run atomic receivers and settle them in one transaction; False if that was undone."""
        done: list[tuple[Finished, float]] = []
        rest: list[Ready] = []
        begun = self.begun
        try:
            with self.runner.store.transaction():
                for ready in batch:
                    if not self._may_begin():
                        rest.append(ready)
                        continue
                    done.append((Finished(ready.owed, DONE), self._call(ready)))
                    self._require_whole()
                self._step("before settle")
                results = [*(result for result, _ in done), *map(_handed_back, rest)]
                if self.runner.store.finish([*self.results, *results], slots):
                    raise Fenced("A lease was lost")  # noqa: TRY301 - undoes the transaction
                self._step("settled")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whose it is shows one by one
            self.begun = begun
            if len(batch) > 1:
                logger.debug(
                    "A batch of %d was undone, to be run one by one: %r", len(batch), error
                )
            self.runner.checks.clean()
            return False
        self.results.clear()
        for result, seconds in done:
            self._tell(result, seconds, None)
        return True

    def _run_each_atomic(self, batch: Sequence[Ready]) -> None:
        for ready in batch:
            if self._is_held(ready.owed) or not self._may_begin():
                self.results.append(_handed_back(ready, blocked=self._is_held(ready.owed)))
                continue
            seconds, error = self._run_one_atomic(ready)
            if error is None:
                self._tell(Finished(ready.owed, DONE), seconds, None)
            elif isinstance(error, Fenced):
                logger.warning("Delivery #%d was taken over; its work was undone", ready.owed.id)
            else:
                self._fail(ready, error, seconds)
            # Its traceback leads back here: a circle, which would keep the payload and the receiver.
            error = None

    def _run_one_atomic(self, ready: Ready) -> tuple[float, BaseException | None]:
        started = self.runner.clock()
        try:
            with self.runner.store.transaction():
                self._call(ready)
                self._require_whole()
                self._step("before settle")
                if self.runner.store.finish([Finished(ready.owed, DONE)]):
                    raise Fenced("Its lease was lost")  # noqa: TRY301 - the same
                self._step("settled")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is given back
            self.runner.checks.clean()
            return self.runner.clock() - started, error
        return self.runner.clock() - started, None

    def _run_sync(self, batch: Sequence[Ready]) -> None:
        for ready in batch:
            if self._is_held(ready.owed) or not self._may_begin():
                self.results.append(_handed_back(ready, blocked=self._is_held(ready.owed)))
                continue
            started = self.runner.clock()
            try:
                self._call(ready)
                self._require_whole()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the receiver's, whatever it is
                self.runner.checks.clean()
                self._fail(ready, error, self.runner.clock() - started)
            else:
                seconds = self.runner.clock() - started
                self._close(Finished(ready.owed, DONE), seconds, None)

    def _run_async(self, batch: Sequence[Ready]) -> None:
        if not batch:
            return
        chains: dict[Any, list[Ready]] = {}
        for ready in batch:
            owed = ready.owed
            chains.setdefault(
                owed.id if owed.key is None else (owed.receiver, owed.key), []
            ).append(ready)
        started = self.runner.clock()
        self.runner.on_loop(self._gather(list(chains.values())))
        self.awaited += self.runner.clock() - started

    async def _gather(self, chains: Sequence[Sequence[Ready]]) -> None:
        """All at once, but for those of one key, which follow each other."""
        await asyncio.gather(*(self._run_chain(chain) for chain in chains))

    async def _run_chain(self, chain: Sequence[Ready]) -> None:
        for ready in chain:
            if self._is_held(ready.owed) or not self._may_begin(any_time=True):
                self.results.append(_handed_back(ready, blocked=self._is_held(ready.owed)))
                continue
            self.begun += 1
            started = self.runner.clock()
            try:
                async with asyncio.timeout(ready.durable.options.timeout) as limit:
                    await execution.arun(ready)
            except TimeoutError as error:
                late = _late(ready) if limit.expired() else error
                self._fail(ready, late, self.runner.clock() - started)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the receiver's, whatever it is
                self._fail(ready, error, self.runner.clock() - started)
            else:
                self._close(Finished(ready.owed, DONE), self.runner.clock() - started, None)

    # --------------------------------------------------------------------------------- one run

    def _call(self, ready: Ready) -> float:
        """Call the receiver; the seconds that it took."""
        self.begun += 1
        self.runner.checks.begin()
        self._step("running")
        started = self.runner.clock()
        timeout = ready.durable.options.timeout
        if ready.call.rules.is_async:
            self.runner.on_loop(asyncio.wait_for(execution.arun(ready), timeout))
        elif timeout is None or self.runner.limits is None:
            execution.run(ready)
        else:
            self.runner.limits.run(lambda: execution.run(ready), timeout, _late(ready))
        self._step("ran")
        return self.runner.clock() - started

    def _require_whole(self) -> None:
        left = self.runner.checks.broken()
        if left is not None:
            raise TransactionLost(left)

    def _may_begin(self, *, any_time: bool = False) -> bool:
        now = self.runner.clock()
        in_time = any_time or not self.begun or now - self.started < BUDGET
        return in_time and now < self.deadline - MARGIN and not self.runner.stopping()

    def _is_held(self, owed: Owed) -> bool:
        return owed.key is not None and (owed.receiver, owed.key) in self.held

    # -------------------------------------------------------------------------------- outcomes

    def _fail(self, ready: Ready, error: BaseException, seconds: float) -> None:
        result = execution.failed(ready, error, self.runner.policy)
        if ready.owed.key is not None and ready.durable.options.blocks:
            self.held.add((ready.owed.receiver, ready.owed.key))
        self._close(result, seconds, error)

    def _close(self, result: Finished, seconds: float, error: BaseException | None) -> None:
        self.results.append(result)
        self._tell(result, seconds, error)

    def _tell(self, result: Finished, seconds: float, error: BaseException | None) -> None:
        if self.runner.told is not None:
            self.runner.told(result, seconds, error)

    def _step(self, name: str) -> None:
        if self.runner.step is not None:
            self.runner.step(name)

    def finish(self, slots: Sequence[Slot]) -> None:
        """Note what has become of them all. Where a slot was lost, of what is still ours."""
        if not self.results and not slots:
            return
        self._step("before settle")
        results, self.results = self.results, []
        try:
            lost = self.runner.store.finish(results, slots)
        except Fenced as error:
            logger.warning("%s; what was run of it is settled all the same", error)
            lost = self.runner.store.finish(results)
        if lost:
            logger.warning(
                "%d of %d deliveries had been taken over by another worker, or changed by an "
                "operator, before they were settled: they may run twice",
                lost,
                len(results),
            )
        self._step("settled")


def is_expected(error: BaseException | None) -> bool:
    """Whether the receiver has asked for what happens next, so that there is no fault to show."""
    return isinstance(error, (Retry, GiveUp))


def _isolate(claim: Claim) -> tuple[list[list[Owed]], list[Owed]]:
    """What to run, group after group, and what to put back.

    One that kills its worker shall do so alone. Those that were with it the last time can't be told
    from it, so of them one is run, after the others.
    """
    suspects = [each for each in claim.owed if each.suspect]
    if not suspects or len(claim.owed) == 1:
        return [claim.owed], []
    if claim.slots:  # in their order
        return [claim.owed[:1]], claim.owed[1:]
    fresh = [each for each in claim.owed if not each.suspect]
    return ([fresh] if fresh else []) + [suspects[:1]], suspects[1:]


def _handed_back(ready: Ready, *, blocked: bool = False) -> Finished:
    return Finished(ready.owed, READY, returned=True, blocked=blocked)


def _late(ready: Ready) -> DeliveryTimeout:
    return DeliveryTimeout(
        f"It ran longer than its timeout of {ready.durable.options.timeout:g} s."
    )


def counted(results: Iterable[Finished]) -> dict[str, int]:
    """How many were done, are retried, are dead."""
    counts = {DONE: 0, READY: 0, DEAD: 0}
    for result in results:
        if not result.returned:
            counts[result.state] += 1
    return counts
