"""Runs of one delivery beyond the first, and what each may be forgiven for.

A run that was settled, in a batch that lost nothing, is the last one of its delivery. Another is
forgiven where its result couldn't be noted: its process was killed before; the server went down
meanwhile; its lease had ended, which takes a lease, and something that held the process up so that it
didn't renew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.history import Event

#: SQLite's clock has milliseconds, and the others run by themselves.
TOLERANCE = 0.02


@dataclass
class Batch:
    """A claim, and what became of its runs."""

    process: str
    #: When it was asked for, and when its last record was written.
    asked: float
    last: float
    #: Whether its thread has claimed again, so that it has done with this one.
    over: bool = False
    #: Runs that were not settled, by the delivery's id.
    open: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    #: How many of its results came too late, and when the first of them did.
    lost: int = 0
    lost_at: float = 0.0


class Runs:
    """The runs of receivers outside the database, by delivery and by batch."""

    def __init__(self, events: Sequence[Event], lease: float) -> None:
        self.lease = lease
        self.batches: dict[str, Batch] = {}
        self.by_delivery: dict[tuple[str, int], list[Event]] = defaultdict(list)
        self.killed = {event.process for event in events if event.kind == "killed"}
        self.held_up: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for event in events:
            if event.kind == "held up":
                self.held_up[event.process].append((event.at - float(event.note), event.at))
        self.restarts = spans(events, "restarting", "restarted")
        self._thread: dict[str, Batch] = {}
        for event in events:
            self._read(event)

    def _read(self, event: Event) -> None:
        if event.kind == "claimed":
            batch = Batch(event.process, float(event.note), event.at)
            self.batches[event.batch] = batch
            thread = event.batch.rpartition("/")[0]
            if thread in self._thread:
                self._thread[thread].over = True
            self._thread[thread] = batch
        elif event.kind == "run":
            self.by_delivery[event.receiver, event.number].append(event)
        batch_of_event = self.batches.get(event.batch)
        if batch_of_event is None:
            return
        batch_of_event.last = event.at
        if event.kind == "run":
            batch_of_event.open[event.delivery].append(event)
        elif event.kind == "settled":
            del batch_of_event.open[event.delivery][:1]
        elif event.kind == "lost":
            batch_of_event.lost += event.attempt
            batch_of_event.lost_at = batch_of_event.lost_at or event.at

    @property
    def count(self) -> int:
        """How many runs there were beyond one for each delivery."""
        return sum(len(runs) - 1 for runs in self.by_delivery.values())

    @property
    def budget(self) -> int:
        """How many runs were in flight when something happened that may have lost their results."""
        return sum(
            (_length(batch.open) if self._was_cut_off(batch) else 0) + batch.lost
            for batch in self.batches.values()
        )

    def without_cause(self) -> Iterator[str]:
        """Deliveries that ran again although nothing had happened to their runs."""
        for (receiver, number), runs in self.by_delivery.items():
            settled = [run for run in runs if not self._is_forgiven(run)]
            if len(runs) > 1 and len(settled) > 1:
                where = ", ".join(f"{run.batch} (attempt {run.attempt})" for run in runs)
                yield f"{receiver} {number}: run {len(runs)} times, in {where}"
        for name, batch in self.batches.items():
            left = _length(batch.open)
            if left and not self._was_cut_off(batch):
                yield f"{left} runs of {name} were not settled, by a worker that lived on"
        if self.count > self.budget:
            yield f"{self.count} in all, where {self.budget} were in flight"

    def lost_for_nothing(self) -> Iterator[str]:
        """Batches that were taken over although their leases can't have ended, or were to be renewed."""
        for name, batch in self.batches.items():
            if batch.lost and not self._may_have_lapsed(batch):
                seconds = batch.lost_at - batch.asked
                yield f"{name} lost {batch.lost} deliveries {seconds:.2f} s after it had asked for them"

    def _is_forgiven(self, run: Event) -> bool:
        batch = self.batches.get(run.batch)
        if batch is None:
            return False
        return (run in batch.open[run.delivery] and self._was_cut_off(batch)) or (
            bool(batch.lost) and self._may_have_lapsed(batch)
        )

    def _was_cut_off(self, batch: Batch) -> bool:
        """Whether its process was killed in it, or the server restarted around its end."""
        killed_in_it = batch.process in self.killed and not batch.over
        return killed_in_it or overlaps(self.restarts, "server", batch.asked, batch.last + 1)

    def _may_have_lapsed(self, batch: Batch) -> bool:
        asked, lost_at = batch.asked, batch.lost_at
        if overlaps(self.restarts, "server", asked, lost_at):
            # It may have been settled: a commit that the server didn't live to acknowledge.
            return True
        lapsed = lost_at - asked >= self.lease - TOLERANCE
        return lapsed and overlaps(self.held_up, batch.process, asked, lost_at)


def _length(runs: dict[str, list[Event]]) -> int:
    return sum(len(each) for each in runs.values())


def spans(events: Sequence[Event], begin: str, end: str) -> dict[str, list[tuple[float, float]]]:
    """By process, the times from each event of the one kind to the next of the other."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for event in events:
        if event.kind == begin:
            found[event.process].append((event.at, float("inf")))
        elif event.kind == end and found[event.process]:
            found[event.process][-1] = (found[event.process][-1][0], event.at)
    return found


def overlaps(
    found: dict[str, list[tuple[float, float]]], process: str, begin: float, end: float
) -> bool:
    """Whether one of the times meets that from `begin` to `end`."""
    return any(since <= end and until >= begin for since, until in found.get(process, ()))
