"""Receivers that may run for longer than a worker's lease."""

from __future__ import annotations

from dataclasses import dataclass

from signalpost.delivery import receivers


@dataclass(frozen=True, slots=True)
class LongRun:
    """A receiver whose timeout is longer than a lease."""

    key: str
    timeout: float
    lease: float

    @property
    def message(self) -> str:
        """What is wrong."""
        return (
            f"Receiver '{self.key}' may run for {self.timeout:g} s, its timeout, but a worker's lease "
            f"is {self.lease:g} s: while a worker that is frozen, or cut off from the database, still "
            "runs it, another begins it too."
        )

    @property
    def hint(self) -> str:
        """What to do."""
        return (
            f'Set SIGNALPOST["LEASE"], or the workers\' --lease, to {self.timeout:g} or more, which is '
            "how long the work of a worker that was killed waits, or give the receiver a shorter timeout=."
        )


def longer_than(lease: float) -> list[LongRun]:
    """The receivers whose timeouts are longer than the lease. It is renewed while they run."""
    found = {
        durable.key: LongRun(durable.key, durable.options.timeout, lease)
        for durable in receivers.known()
        if durable.options.timeout is not None and durable.options.timeout > lease
    }
    return [found[key] for key in sorted(found)]
