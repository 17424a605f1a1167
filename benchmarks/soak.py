"""What a long run and a full table cost: `python -m benchmarks.soak DATABASE [--count N]`, `make soak`.

Prints what it measures and its limits, and exits with 1 where one is missed:

- so many deliveries through one worker: its memory stays, and the last tenth of them is as fast as the first;
- 100,000 dead deliveries in front of a backlog cost under 10 %;
- one hot key with as much to do as all others together costs those nothing.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.durable_project import DATABASES, Shop, project

_DEAD: Final = 100_000
_SAMPLE: Final = 20_000
_PAGE: Final = resource.getpagesize()
#: An expression for a new UUID, as each database stores it.
_NEW_UID: Final = {
    "SQLite": "lower(hex(randomblob(16)))",
    "PostgreSQL": "gen_random_uuid()",
    "MariaDB": "replace(uuid(), '-', '')",
}


class Run:
    """One soak: what is measured, and which limits were missed."""

    def __init__(self, database: str, count: int) -> None:
        self.database = database
        self.count = count
        self.missed: list[str] = []

    def tell(self, name: str, value: float, limit: float, unit: str) -> None:
        """Print a figure beside the most that it may be."""
        kept = value <= limit
        print(
            f"{self.database}: {name}: {value:,.1f} {unit}, at most {limit:,.0f}"
            f" {'' if kept else '  MISSED'}",
            flush=True,
        )
        if not kept:
            self.missed.append(name)

    def multiply(self, count: int, state: str = "ready") -> None:
        """Make so many deliveries of the one that there is, and give them that state."""
        from django.db import connection

        with connection.cursor() as cursor:
            have = 1
            while have < count:
                more = min(have, count - have)
                cursor.execute("SELECT max(id) FROM signalpost_message")
                (last,) = cursor.fetchone()
                cursor.execute(  # names and constants only, no values
                    "INSERT INTO signalpost_message (uid, topic, version, ordering_key, body, headers, "  # noqa: S608
                    f"created_at) SELECT {_NEW_UID[self.database]}, topic, version, ordering_key, body, "
                    f"headers, created_at FROM signalpost_message ORDER BY id DESC LIMIT {more}"
                )
                cursor.execute(
                    "INSERT INTO signalpost_delivery (message_id, receiver, lane, slot, ordering_key, "
                    "state, attempts, max_attempts, available_at, fence, claimed_by, last_error) SELECT "
                    "m.id, d.receiver, d.lane, d.slot, d.ordering_key, d.state, 0, d.max_attempts, "
                    "d.available_at, 0, '', '' FROM signalpost_message m, "
                    "(SELECT * FROM signalpost_delivery ORDER BY id DESC LIMIT 1) d WHERE m.id > %s",
                    [last],
                )
                have += more
            cursor.execute(
                "UPDATE signalpost_delivery SET state = %s WHERE state = 'ready'", [state]
            )

    def work(self, told: Callable[[], None] | None = None) -> float:
        """Deliver all that is due; how many a second."""
        from signalpost.delivery.worker import Settings
        from signalpost.django.working import make_worker

        options: dict[str, Any] = {}
        if told is not None:
            options["told"] = lambda result, seconds, error: told()
        worker = make_worker("default", Settings(once=True), **options)
        started = time.perf_counter()
        done = worker.run().done
        return done / (time.perf_counter() - started)


def resident() -> float:
    """Megabytes of memory that this process has."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * _PAGE / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def long_run(run: Run) -> None:
    """The deliveries of one long run, a tenth at a time."""
    shop = Shop()
    shop.send(0)
    run.multiply(run.count)
    tenth = run.count // 10
    state: dict[str, Any] = {"done": 0, "since": time.perf_counter()}
    rates: list[float] = []
    memory: list[float] = []

    def told() -> None:
        state["done"] += 1
        if state["done"] % tenth == 0:
            now = time.perf_counter()
            rates.append(tenth / (now - state["since"]))
            memory.append(resident())
            print(
                f"{run.database}: {state['done']:>9,}  {rates[-1]:>8,.0f}/s  {memory[-1]:.1f} MB",
                flush=True,
            )
            state["since"] = time.perf_counter()

    gc.collect()
    rate = run.work(told)
    print(f"{run.database}: {run.count:,} deliveries, {rate:,.0f} a second")
    run.tell("memory, last tenth beside the first", memory[-1] - memory[0], 2, "MB more")
    run.tell("time, last tenth beside the first", (rates[0] / rates[-1] - 1) * 100, 20, "% more")
    shop.close()


def behind_the_dead(run: Run) -> None:
    """A backlog, alone and behind dead rows."""
    shop = Shop()
    samples: dict[str, list[float]] = {"alone": [], "behind": []}
    for name in ("alone", "behind"):
        if name == "behind":
            shop.send(0)
            run.multiply(_DEAD, "dead")
            _vacuum()  # they were ready for a moment, which the dead of a worker weren't all at once
        for _ in range(3):
            shop.send(0)
            run.multiply(_SAMPLE)
            samples[name].append(run.work())
    slower = (max(samples["alone"]) / max(samples["behind"]) - 1) * 100
    run.tell(f"time behind {_DEAD:,} dead", slower, 10, "% more")
    shop.close()


def beside_a_hot_key(run: Run) -> None:
    """Deliveries of 2,000 keys, alone and beside as many of one key."""
    from django.db import transaction

    seen: list[float] = []
    shop = Shop(key=lambda number, **kwargs: number % 2000 if number >= 0 else "hot")
    shop.heard = lambda number: seen.append(time.perf_counter()) if number >= 0 else None
    took: dict[str, float] = {}
    for name in ("alone", "beside"):
        for start in range(0, _SAMPLE, 500):
            with transaction.atomic():
                for number in range(start, start + 500):
                    if name == "beside":
                        shop.signal.send(sender=None, number=-1)
                    shop.signal.send(sender=None, number=number)
        seen.clear()
        started = time.perf_counter()
        run.work()
        took[name] = seen[int(len(seen) * 0.95)] - started
    # Both share one thread, so that half of the time is the hot key's own work.
    run.tell(
        "time of 2,000 keys beside a hot one",
        (took["beside"] / took["alone"] - 1) * 100,
        110,
        "% more",
    )


def main(arguments: list[str]) -> int:
    """The exit code: 1 where a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("database", choices=DATABASES)
    parser.add_argument("--count", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    run = Run(options.database, options.count)
    with project(options.database):
        for each in (long_run, behind_the_dead, beside_a_hot_key):
            each(run)
            _empty()
    return 1 if run.missed else 0


def _vacuum() -> None:
    """As PostgreSQL does by itself in time, unless a server has it turned off."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _empty() -> None:
    from signalpost.django.models import Delivery, Message, Slot

    models: list[Any] = [Delivery, Message, Slot]
    for model in models:
        model._base_manager.all()._raw_delete("default")
    _vacuum()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
