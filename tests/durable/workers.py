"""Workers in this process, and what tests wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from signalpost.delivery import receivers
from signalpost.delivery.batch import Batch
from signalpost.delivery.running import Runner
from signalpost.delivery.store import Claim
from signalpost.delivery.worker import Settings, Worker
from signalpost.django.models import Delivery, Slot
from signalpost.django.stores import store_for
from signalpost.django.working import ConnectionChecks, make_worker, policy_for
from tests.store.models import Order

#: How long something may take on a busy machine, in seconds.
DEADLINE = 60.0


def until(condition: Callable[[], object], deadline: float = DEADLINE) -> None:
    """Wait for what another thread or process does."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, "it didn't happen in time"
        time.sleep(0.005)


@contextmanager
def working(
    database: str,
    *,
    settings: Settings | None = None,
    wrap: Callable[[Any], Any] | None = None,
    **options: Any,
) -> Iterator[Worker]:
    """A worker that works in a thread through the block, and is stopped then.

    `wrap` gives the store that it uses, of the real one.
    """
    worker = make_worker(database, settings or Settings(poll=(0.005, 0.02)), **options)
    if wrap is not None:
        worker.store = wrap(worker.store)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(DEADLINE)
        assert not thread.is_alive(), "it didn't stop in time"


def work_once(database: str, **settings: Any) -> Worker:
    """A worker that has worked until nothing was due."""
    worker = make_worker(database, Settings(once=True, poll=(0.005, 0.05), **settings))
    worker.run()
    return worker


def claim(database: str, *, keyed: bool = False, limit: int = 100, lease: float = 60.0) -> Claim:
    store, options = store_for(database), {"limit": limit, "owner": "worker", "lease": lease}
    if not keyed:
        return store.claim("default", **options)
    store.noted.clear()
    return store.claim_keyed("default", blocks=receivers.blocks, **options)


def run(database: str, claimed: Claim, *, until: float | None = None, **options: Any) -> Batch:
    """Run a claim in this thread."""
    options = {"checks": ConnectionChecks(), **options}
    runner = Runner(store_for(database), policy_for(database), **options)
    return runner.run(claimed, runner.clock() + 60.0 if until is None else until)


def rows(database: str) -> list[tuple[str, int]]:
    """The states and attempts of all deliveries, in their order."""
    return list(Delivery.objects.using(database).order_by("id").values_list("state", "attempts"))


def states(database: str) -> list[str]:
    return [state for state, _ in rows(database)]


def effects(database: str) -> list[int]:
    """What receivers have written, in their order: `affect`."""
    return list(Order.objects.using(database).order_by("id").values_list("total", flat=True))


def affect(database: str, number: int) -> None:
    """What a receiver does. Nothing makes it unique, so that a double shows."""
    Order.objects.using(database).create(total=number)


def let_leases_lapse(database: str) -> None:
    """Have all leases end now, and make what was claimed ready again."""
    long_ago = "2000-01-01 00:00:00+00:00"
    Delivery.objects.using(database).filter(state="claimed").update(lease_until=long_ago)
    Slot.objects.using(database).exclude(lease_until=None).update(lease_until=long_ago)
    store_for(database).reclaim()
