"""How much a thread takes on: how many deliveries in one claim, and for how long it works on them."""

from __future__ import annotations

#: After so many seconds of work a batch is settled, and what it hasn't begun is handed back.
BUDGET = 0.25
#: Where receivers are awaited, which takes no work, so long. They are settled meanwhile.
AWAITING_BUDGET = 5.0
_FIRST = 10


class Size:
    """How many deliveries to claim at once: many quick ones, few slow ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit: int = min(_FIRST, most)

    def learn(self, begun: int, claimed: int, seconds: float) -> None:
        """Of so many that were claimed, so many were begun, in so many seconds."""
        if seconds > BUDGET:
            self.limit = max(1, min(self.limit, begun) // 2)
        elif claimed > self.limit / 2 and seconds < BUDGET / 2:
            # Not all of it: slots share the limit, and what is left over goes to none.
            self.limit = min(self.most, self.limit * 2)
