"""What happens in a run: producers and workers, and everything that ends them, until all is settled."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from django.db import connection

from signalpost.django.models import Delivery
from tests.chaos.history import History
from tests.chaos.models import Line
from tests.chaos.processes import Process, Processes
from tests.chaos.producing import produce
from tests.chaos.receivers import LINES
from tests.chaos.servers import Server
from tests.chaos.shapes import shape_of
from tests.chaos.working import work

#: The numbers of one producer's sales.
NUMBERS = 1_000_000
#: So long without a delivery that is settled, in leases, means that the rest never will be.
PATIENCE = 30
LONGEST_DRAIN = 240.0


@dataclass(frozen=True)
class Plan:
    """What a run is made of."""

    kills: int
    seed: int
    producers: int = 3
    workers: int = 4
    #: Seconds that claims are for.
    lease: float = 2.0
    #: The mean time between two events.
    pace: float = 0.4
    stops: bool = False


class Storm:
    """One run. What it did is in the history."""

    def __init__(
        self, plan: Plan, processes: Processes, history: History, server: Server | None
    ) -> None:
        self.plan = plan
        self.processes = processes
        self.history = history
        self.server = server
        self.chance = random.Random(plan.seed)
        self.numbers = count(NUMBERS, NUMBERS)
        #: Poisons to be sent: each kills as many workers as it has attempts.
        self.poisons = max(1, plan.kills // 25)
        self.told: Callable[[str], None] = lambda text: None

    def run(self) -> None:
        """Let it rage, then have the workers settle what is left."""
        Line.objects.bulk_create(Line(name=name) for name in LINES)
        connection.close()
        self.processes.nap = self._past_the_lease
        events = self._events()
        for number, event in enumerate(events, start=1):
            self._pass(self.chance.uniform(0, 2 * self.plan.pace))
            event()
            self.told(f"{number} of {len(events)} events")
        self._end("producer")
        self._end("worker")
        self._drain()
        self._end("worker")

    def _events(self) -> list[Callable[[], None]]:
        kills = self.plan.kills
        events = [self._kill_worker] * kills
        events += [self._kill_producer] * (kills // 10)
        events += [self._ask_worker] * (kills // 10)
        events += [self._stop_worker] * (max(2, kills // 2) if self.plan.stops else 0)
        events += [self._restart_server] * (max(2, kills // 12) if self.server else 0)
        self.chance.shuffle(events)
        return events

    # ---------------------------------------------------------------------------------- events

    def _kill_worker(self) -> None:
        self.processes.kill(self._one("worker"))

    def _kill_producer(self) -> None:
        self.processes.kill(self._one("producer"))

    def _ask_worker(self) -> None:
        self.processes.ask(self._one("worker"))

    def _stop_worker(self) -> None:
        self.processes.stop(self._one("worker"), self._past_the_lease())

    def _past_the_lease(self) -> float:
        """Mostly only just: then somebody else has what was claimed, and isn't through with it."""
        return self.plan.lease * (1.0 + 2 * self.chance.random() ** 2)

    def _restart_server(self) -> None:
        if self.server is not None:
            self.history.note("restarting", "server")
            self.server.restart()
            self.history.note("restarted", "server")

    def _one(self, kind: str) -> Process:
        """One of that kind which has had the time to begin something."""
        while True:
            self._keep_up()
            now = time.monotonic()
            found = [
                each
                for each in self.processes.of(kind)
                if not each.asked and each.stopped_until is None and now - each.started > 0.2
            ]
            if found:
                return self.chance.choice(found)
            time.sleep(0.01)

    # ------------------------------------------------------------------------------- processes

    def _pass(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._keep_up()
            time.sleep(0.005)

    def _keep_up(self) -> None:
        """Start others in the place of those that have ended."""
        self.processes.look_after()
        while len(self.processes.of("producer")) < self.plan.producers:
            poisons = min(1, self.poisons)
            self.poisons -= poisons
            first, seed = next(self.numbers), f"{self.plan.seed}/{self.chance.random()}"
            self.processes.start("producer", partial(produce, first, seed, poisons))
        self._have_workers(armed=True)

    def _have_workers(self, *, armed: bool) -> None:
        while len(self.processes.of("worker")) < self.plan.workers:
            shape = shape_of(self.chance, self.plan.lease, armed=armed, stops=self.plan.stops)
            self.processes.start("worker", partial(work, shape))

    def _end(self, kind: str) -> None:
        """Ask all of that kind to stop; what doesn't is a fault."""
        for process in self.processes.of(kind):
            self.processes.ask(process)
        for process in self.processes.wait(kind, 30.0):
            self.history.note("failed by itself", process.name, note="did not stop when asked")
            self.processes.kill(process)
        self.processes.wait(kind, 5.0)

    def _drain(self) -> None:
        fewest, since = None, time.monotonic()
        until = since + LONGEST_DRAIN
        while time.monotonic() - since < PATIENCE * self.plan.lease and time.monotonic() < until:
            self.processes.look_after()
            self._have_workers(armed=False)
            left = self._unsettled()
            if left == 0:
                return
            if fewest is None or left < fewest:
                fewest, since = left, time.monotonic()
                self.told(f"{left} deliveries left")
            time.sleep(0.05)

    def _unsettled(self) -> int:
        count = Delivery.objects.exclude(state=Delivery.State.DEAD).count()
        connection.close()  # nobody forks with one that is open
        return count
