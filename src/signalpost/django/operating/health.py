"""Whether deliveries get on: yes, or the reasons why not."""

from __future__ import annotations

from signalpost.django.operating.standing import LOST_AFTER, Standing
from signalpost.django.operating.wording import age, deliveries

#: For how long something may be due, in seconds.
MAX_AGE = 300.0


def unhealthy(
    found: Standing, *, max_age: float = MAX_AGE, max_dead: int | None = None
) -> list[str]:
    """The reasons why it isn't well; none if it is. Paused queues may wait."""
    reasons: list[str] = []
    if not found.alive:
        reasons.append(f"No worker has given a sign of life in the last {LOST_AFTER:.0f} s.")
    for queue in found.queues:
        waited = queue.oldest_due_seconds
        if waited is not None and waited > max_age and not queue.paused:
            reasons.append(
                f"Queue '{queue.name}' is behind: its oldest delivery has been due for {age(waited)}, "
                f"and {age(max_age)} are allowed."
            )
    if found.alive:
        reasons += [
            f"Queue '{queue.name}' has {deliveries(queue.owed)}, and no worker works on it."
            for queue in found.unworked()
            if not queue.paused
        ]
    dead = sum(queue.dead for queue in found.queues)
    if max_dead is not None and dead > max_dead:
        reasons.append(
            f"{deliveries(dead)} {'is' if dead == 1 else 'are'} dead, and {max_dead:,} may be."
        )
    return reasons
