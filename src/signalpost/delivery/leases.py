"""What the threads of a worker hold, and until when it is theirs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from signalpost.delivery.store import Claim, Store

#: A delivery isn't begun where its lease has less than this to run, in seconds.
MARGIN = 5.0


class Lease:
    """A claim, and when it ends by the monotonic clock. Whoever renews it moves that on."""

    __slots__ = ("claim", "margin", "until")

    def __init__(self, claim: Claim, until: float, *, margin: float = MARGIN) -> None:
        self.claim: Claim = claim
        self.until: float = until
        self.margin: float = margin

    def allows(self, now: float) -> bool:
        """Whether a delivery may be begun yet."""
        return now < self.until - self.margin


class Leases:
    """The claims that a worker's threads work on. One thread of its own calls `renew`."""

    def __init__(self, store: Store, seconds: float, clock: Callable[[], float]) -> None:
        self.store = store
        self.seconds = seconds
        self.clock = clock
        self._held: dict[int, Lease] = {}

    @contextmanager
    def hold(self, claim: Claim, begun: float) -> Generator[Lease, None, None]:
        """Keep the claim, which was asked for at `begun`, renewed through the block."""
        lease = Lease(claim, begun + self.seconds, margin=min(MARGIN, self.seconds / 4))
        thread = threading.get_ident()
        self._held[thread] = lease
        try:
            yield lease
        finally:
            del self._held[thread]

    def renew(self) -> None:
        """Renew those of which a third is over."""
        for lease in list(self._held.values()):
            now = self.clock()
            if now < lease.until - self.seconds * 2 / 3:
                continue
            claim = lease.claim
            # Where nothing is ours any more, since we were stopped for longer than the lease, none
            # of it is to be begun. What was settled meanwhile isn't touched: the fences see to it.
            if self.store.renew(claim.owed, claim.slots, self.seconds):
                lease.until = now + self.seconds
