"""What has become of the deliveries of one claim, until it is written down."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from signalpost.delivery import execution, receivers
from signalpost.delivery.execution import Ready
from signalpost.delivery.store import DONE, READY, Fenced, Finished, Owed, Slot
from signalpost.delivery.waiting import Poll

if TYPE_CHECKING:
    from signalpost.delivery.leases import Lease
    from signalpost.delivery.running import Runner

logger: logging.Logger = logging.getLogger("signalpost.worker")

#: The shortest and the longest wait for a database that is away when its deliveries are settled.
_TROUBLE = (0.05, 2.0)


class Settling:
    """The outcomes of one claim: gathered, told, and written down together."""

    def __init__(self, runner: Runner, lease: Lease) -> None:
        self.runner = runner
        self.lease = lease
        #: What is to be given back with the last outcomes.
        self.slots: Sequence[Slot] = lease.claim.slots
        # The loop's thread adds to them too.
        self._results: deque[Finished] = deque()
        #: By receiver and key, the first delivery that those after it have to wait for.
        self._holding: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._results)

    # ------------------------------------------------------------------------------- gathering

    def close(
        self, result: Finished, seconds: float = 0.0, error: BaseException | None = None
    ) -> None:
        """Note an outcome, and tell of it."""
        owed = result.owed
        if result.state != DONE and owed.key is not None and receivers.blocks(owed.receiver):
            name = (owed.receiver, owed.key)
            self._holding[name] = min(owed.id, self._holding.get(name, owed.id))
        self._results.append(result)
        self.runner.tell(result, seconds, error)

    def fail(self, ready: Ready, error: BaseException, seconds: float) -> None:
        """Note what its receiver has raised."""
        self.close(execution.failed(ready, error, self.runner.policy), seconds, error)

    def hand_back(self, owed: Owed) -> None:
        """Have it as if it had never been claimed."""
        self._results.append(handed_back(owed, blocked=self.is_held(owed)))

    def is_held(self, owed: Owed) -> bool:
        """Whether an earlier delivery of its key is in its way."""
        if owed.key is None:
            return False
        first = self._holding.get((owed.receiver, owed.key))
        return first is not None and first < owed.id

    # ------------------------------------------------------------------------------- settling

    def finish(self, *, last: bool = False) -> None:
        """Write down what there is; the last time, give the slots back too."""
        slots = self.slots if last else ()
        results = self._taken()
        if not results and not slots:
            return
        self.runner.step("before settle")
        try:
            lost = self._settle(results, slots)
        except BaseException:
            self._results.extendleft(reversed(results))
            raise
        if lost:
            logger.warning(
                "%d of %d deliveries had been taken over by another worker, or changed by an "
                "operator, before they were settled: they may run twice",
                lost,
                len(results),
            )
        self.runner.step("settled")

    def finish_meanwhile(self) -> None:
        """Write down what there is, while others run yet; what can't be is kept for later."""
        try:
            self.finish()
        except Exception as error:  # noqa: BLE001 - said above
            logger.warning("Cannot settle deliveries, to be tried again later: %s", error)

    def _taken(self) -> list[Finished]:
        # One by one: another may come meanwhile.
        return [self._results.popleft() for _ in range(len(self._results))]

    def _settle(self, results: Sequence[Finished], slots: Sequence[Slot]) -> int:
        """How many were no longer ours. Where a slot was lost, what is still ours is settled.

        To settle twice does no harm, so a database that is away, or that took back its transaction,
        is asked again for as long as the lease holds: what was run isn't to run again for that.
        """
        runner, trouble = self.runner, Poll(*_TROUBLE)
        while True:
            try:
                return runner.store.finish(results, slots)
            except Fenced as error:
                logger.warning("%s; what was run of it is settled all the same", error)
                slots = ()
            except Exception as error:
                if runner.wait is None or runner.stopping() or runner.clock() > self.lease.until:
                    raise
                runner.checks.clean()
                seconds = trouble.nothing()
                logger.warning(
                    "Cannot settle %d deliveries, again in %.2f s: %s", len(results), seconds, error
                )
                runner.wait(seconds)


def handed_back(owed: Owed, *, blocked: bool = False) -> Finished:
    """The outcome of a delivery that wasn't begun."""
    return Finished(owed, READY, returned=True, blocked=blocked)
