"""One claim, on its way to being finished: its receivers are called, each kind in its way."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, NamedTuple

from signalpost.delivery import awaiting, execution
from signalpost.delivery.execution import Ready, Target
from signalpost.delivery.settling import Settling, handed_back
from signalpost.delivery.sizing import BUDGET
from signalpost.delivery.store import DONE, Fenced, Finished, Owed

if TYPE_CHECKING:
    from signalpost.delivery.leases import Lease
    from signalpost.delivery.running import Runner

logger: logging.Logger = logging.getLogger("signalpost.worker")


class TransactionLost(Exception):
    """A receiver left the transaction, or the connection, so that nothing more can be done in it."""


class _Apart(Exception):
    """One of a batch isn't done, so they are to be run one by one."""


class Due(NamedTuple):
    """A delivery, and who it is for.

    Its payload is restored when its turn comes, and not before: an instance in it is to be as those
    that ran before have left it.
    """

    owed: Owed
    target: Target


class Batch:
    """One claim, on its way to being finished."""

    def __init__(self, runner: Runner, lease: Lease) -> None:
        self.runner = runner
        self.lease = lease
        self.settling: Settling = Settling(runner, lease)
        self.started: float = runner.clock()
        #: How many deliveries were begun.
        self.begun: int = 0
        #: The seconds that async receivers were awaited.
        self.awaited: float = 0.0
        #: Whether the database has gone, so that nothing more is begun.
        self._halted = False

    def run(self) -> None:
        """Run it all, as far as the budget of time and the lease allow."""
        groups, put_back = _isolate(self.lease.claim.owed, keyed=bool(self.settling.slots))
        for owed in put_back:
            self.settling.hand_back(owed)
        if len(groups) > 1 or put_back:
            self.settling.finish()  # first, so that a crash in what follows doesn't count for them
        for group in groups[:-1]:
            self._run_group(group, last=False)
            self.settling.finish()
        self._run_group(groups[-1], last=True)
        self.settling.finish(last=True)

    def _run_group(self, group: Sequence[Owed], *, last: bool) -> None:
        found: dict[tuple[str, str], Target | None] = {}
        atomic: list[Due] = []
        sync: list[Due] = []
        awaited: list[Due] = []
        for owed in group:
            name = (owed.receiver, owed.topic)
            if name not in found:
                found[name] = Target.find(*name)
            target = found[name]
            if target is None:
                self.settling.close(execution.parked(owed, self.runner.policy))
            elif target.durable.options.atomic:
                atomic.append(Due(owed, target))
            else:
                (awaited if target.is_async else sync).append(Due(owed, target))
        if atomic:
            alone = last and not sync and not awaited and not len(self.settling)
            self._run_atomic(atomic, last=alone)
        self._run_sync(sync)
        awaiting.run(self, awaited)

    # ------------------------------------------------------------------------- atomic receivers

    def _run_atomic(self, batch: Sequence[Due], *, last: bool) -> None:
        """All together if they are several, and one by one if that fails."""
        if len(batch) > 1 and self._run_together(batch, last=last):
            return
        for due in batch:
            if self._may_begin(due.owed, BUDGET):
                self._run_one_atomic(due)

    def _run_together(self, batch: Sequence[Due], *, last: bool) -> bool:
        """Run them and settle them in one transaction; whether nothing is left to be done.

        If they are the last ones, the slots are given back in it too.
        """
        runner, begun = self.runner, self.begun
        done: list[tuple[Finished, float]] = []
        try:
            with runner.store.transaction():
                for due in batch:
                    if not self._has_time(BUDGET):
                        break
                    done.append(self._run_in_transaction(due))
                runner.step("before settle")
                results = [result for result, _ in done]
                results += [handed_back(due.owed) for due in batch[len(done) :]]
                if runner.store.finish(results, self.settling.slots if last else ()):
                    raise Fenced("A lease was lost")
        except runner.catches as error:  # whose it is shows one by one
            logger.debug("A batch of %d was undone, to be run one by one: %r", len(batch), error)
            self._clean_up()
            if self._halted and self.begun > begun:
                # One of them may be what the database was lost of: they are to be run apart, as if
                # the worker had been lost.
                for due in batch[: len(done) + 1]:
                    self.settling.close(execution.lost(due.owed))
                for due in batch[len(done) + 1 :]:
                    self.settling.hand_back(due.owed)
                return True
            self.begun = begun
            return False
        if last:
            self.settling.slots = ()
        runner.step("settled")
        for result, seconds in done:
            runner.tell(result, seconds, None)
        return True

    def _run_in_transaction(self, due: Due) -> tuple[Finished, float]:
        ready = execution.restore(*due, self.runner.policy)
        if isinstance(ready, Ready):
            seconds = self._call(ready)
            return Finished(due.owed, DONE), seconds
        if ready.state != DONE:
            raise _Apart(ready.error)
        return ready, 0.0

    def _run_one_atomic(self, due: Due) -> None:
        runner = self.runner
        ready: Ready | Finished | None = None
        started = runner.clock()
        try:
            with runner.store.transaction():
                ready = execution.restore(*due, runner.policy)
                if isinstance(ready, Ready):
                    self._call(ready)
                    runner.step("before settle")
                    if runner.store.finish([Finished(due.owed, DONE)]):
                        raise Fenced("Its lease was lost")
        except runner.catches as error:
            self._clean_up()
            if isinstance(error, Fenced):
                logger.warning("Delivery #%d was taken over; its work was undone", due.owed.id)
            elif isinstance(ready, Ready):
                self.settling.fail(ready, error, runner.clock() - started)
            else:
                logger.warning("Cannot begin delivery #%d: %s", due.owed.id, error)
                self.settling.hand_back(due.owed)
            return
        if isinstance(ready, Ready):
            runner.step("settled")
            runner.tell(Finished(due.owed, DONE), runner.clock() - started, None)
        else:
            self._close_unrun(ready)

    # --------------------------------------------------------------------------- other receivers

    def _run_sync(self, batch: Sequence[Due]) -> None:
        for due in batch:
            ready = self.begin(due)
            if ready is None:
                continue
            started = self.runner.clock()
            try:
                seconds = self._call(ready)
            except self.runner.catches as error:
                self._clean_up()
                self.settling.fail(ready, error, self.runner.clock() - started)
            else:
                self.settling.close(Finished(due.owed, DONE), seconds)

    # --------------------------------------------------------------------------------- one run

    def begin(self, due: Due, budget: float = BUDGET) -> Ready | None:
        """The delivery, ready to be run; None if it isn't to be run now, which is noted."""
        if not self._may_begin(due.owed, budget):
            return None
        ready = execution.restore(*due, self.runner.policy)
        if isinstance(ready, Ready):
            return ready
        self._close_unrun(ready)
        return None

    def _close_unrun(self, result: Finished) -> None:
        if result.state != DONE:
            self._clean_up()  # the database may have failed
        self.settling.close(result)

    def _may_begin(self, owed: Owed, budget: float) -> bool:
        """Whether it may be begun now; if not, it is handed back."""
        if self._has_time(budget) and not self.settling.is_held(owed):
            return True
        self.settling.hand_back(owed)
        return False

    def _has_time(self, budget: float) -> bool:
        now = self.runner.clock()
        in_time = not self.begun or now - self.started < budget
        return (
            in_time and not self._halted and self.lease.allows(now) and not self.runner.stopping()
        )

    def _call(self, ready: Ready) -> float:
        """Call the receiver; the seconds that it took. Raises where it left things broken."""
        runner = self.runner
        self.begun += 1
        runner.checks.begin()
        runner.step("running")
        started = runner.clock()
        timeout = ready.durable.options.timeout
        context = copy_context()  # what it sets there is nobody else's
        if timeout is None or runner.limits is None:
            context.run(execution.run, ready)
        else:
            runner.limits.run(
                lambda: context.run(execution.run, ready), timeout, lambda: execution.late(ready)
            )
        seconds = runner.clock() - started
        runner.step("ran")
        left = runner.checks.broken()
        if left is not None:
            raise TransactionLost(left)
        return seconds

    def _clean_up(self) -> None:
        """Have the connections usable again; begin nothing more if the database has gone."""
        if self.runner.checks.clean() and self._is_away():
            self._halted = True

    def _is_away(self) -> bool:
        try:
            with self.runner.store.transaction():
                return False
        except Exception:  # noqa: BLE001 - whatever it is, nothing can be begun
            return True


def _isolate(owed: Sequence[Owed], *, keyed: bool) -> tuple[list[Sequence[Owed]], Sequence[Owed]]:
    """What to run, group after group, and what to put back.

    One that kills its worker shall do so alone. Those that were with it the last time can't be told
    from it, so of them one is run, after the others.
    """
    suspects = [each for each in owed if each.suspect]
    if not suspects or len(owed) == 1:
        return [owed], ()
    if keyed:  # in their order
        return [owed[:1]], owed[1:]
    fresh = [each for each in owed if not each.suspect]
    return [*([fresh] if fresh else []), suspects[:1]], suspects[1:]
