"""The worker: threads that claim and run, and one that looks after their leases.

``Worker.run`` is the thread that looks after the others. Each runner takes its turn in claiming, so
that an idle worker asks the database once, however many threads it has.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from signalpost.delivery import receivers
from signalpost.delivery.execution import Policy
from signalpost.delivery.limits import Limits
from signalpost.delivery.running import BUDGET, Checks, Runner, counted
from signalpost.delivery.store import Beat, Claim, Finished, Store
from signalpost.delivery.waiting import Every, Poll, Wake

logger = logging.getLogger("signalpost.worker")


@dataclass(frozen=True)
class Settings:
    """How a worker works. All times are in seconds."""

    #: The queues it works on; none means all.
    lanes: tuple[str, ...] = ()
    #: How many threads run receivers.
    concurrency: int = 1
    #: How long what it has claimed is its own. Renewed while it runs.
    lease: float = 60.0
    #: The most deliveries in one claim.
    batch: int = 100
    #: The shortest and the longest time between two looks.
    poll: tuple[float, float] = (0.02, 1.0)
    #: Whether to stop once nothing is due.
    once: bool = False


@dataclass
class Stats:
    """What a worker has done since it was started."""

    done: int = 0
    retried: int = 0
    dead: int = 0
    started: float = field(default_factory=time.monotonic)

    def note(self, result: Finished) -> None:
        """Count a delivery that has ended."""
        counts = counted([result])
        self.done += counts["done"]
        self.retried += counts["ready"]
        self.dead += counts["dead"]


class Worker:
    """Works on the deliveries of one database until `stop`.

    `listen` is called with what wakes the worker, in a thread of its own, where the database can
    tell that there is work. `end_thread` is called in each thread before it ends.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        policy: Policy,
        *,
        version: str = "",
        checks: Callable[[], Checks] = Checks,
        listen: Callable[[Wake, threading.Event], None] | None = None,
        end_thread: Callable[[], None] = lambda: None,
        told: Callable[[Finished, float, BaseException | None], None] | None = None,
        step: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.settings = settings
        self.policy = policy
        self.version = version
        self.name = f"{platform.node()[:50]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.stats = Stats()
        self.wake = Wake()
        self.busy: dict[str, tuple[Claim, float]] = {}
        self._checks = checks
        self._listen = listen
        self._end_thread = end_thread
        self._told = told
        self._step = step
        self._clock = clock
        self._limits = Limits()
        self._loop = _Loop()
        self._turn = threading.Lock()
        self._poll = Poll(*settings.poll)
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._lanes: Sequence[str] = settings.lanes
        self._new_lanes = Every(5.0, clock)
        self._paused: frozenset[str] = frozenset()

    def stop(self) -> None:
        """Claim no more, hand back what hasn't begun, and end once what runs has ended."""
        self._stopping.set()
        self.wake.set()

    def run(self) -> Stats:
        """Work until `stop`, or, with `once`, until nothing is due."""
        threads = [
            threading.Thread(target=self._run_thread, args=(number,), name=f"signalpost-{number}")
            for number in range(self.settings.concurrency)
        ]
        self._beat()
        self._quietly("look for pauses", self._note_pauses)
        for thread in threads:
            thread.start()
        if self._listen is not None:
            threading.Thread(
                target=self._listen,
                args=(self.wake, self._stopped),
                name="signalpost-listener",
                daemon=True,
            ).start()
        try:
            self._look_after(threads)
        finally:
            self._stopping.set()
            self._stopped.set()
            for thread in threads:
                thread.join()
            self._loop.close()
            self._quietly("leave", lambda: self.store.leave(self.name))
            self._end_thread()
        return self.stats

    # ------------------------------------------------------------------------ looking after it

    def _look_after(self, threads: Sequence[threading.Thread]) -> None:
        lease = self.settings.lease
        reclaim, beat = Every(min(5.0, lease / 4), self._clock), Every(10.0, self._clock)
        pauses = Every(1.0, self._clock)
        while any(thread.is_alive() for thread in threads):
            if pauses():
                self._quietly("look for pauses", self._note_pauses)
            if reclaim():
                self._quietly("reclaim", self._reclaim)
            if beat():
                self._quietly("beat", self._beat)
            self._renew()
            # Short, so that a worker that was asked to stop does so at once.
            threads[0].join(min(0.1, lease / 20))

    def _reclaim(self) -> None:
        found = self.store.reclaim()
        if found:
            logger.warning("%d deliveries had been claimed by a worker that was lost", found)
            self.wake.set()

    def _renew(self) -> None:
        lease = self.settings.lease
        for name, (claim, since) in list(self.busy.items()):
            now = self._clock()
            if now - since < lease / 3:
                continue

            def renew(claim: Claim = claim) -> None:
                self.store.renew(claim.owed, claim.slots, lease)

            if self._quietly("renew", renew) and self.busy.get(name, (None, 0))[0] is claim:
                self.busy[name] = (claim, now)

    def _note_pauses(self) -> None:
        self._paused = self.store.paused()

    def _beat(self) -> None:
        stats = {"done": self.stats.done, "retried": self.stats.retried, "dead": self.stats.dead}
        lanes = self.settings.lanes
        self._quietly(
            "beat",
            lambda: self.store.beat(
                Beat(self.name, platform.node(), os.getpid(), self.version, lanes, stats)
            ),
        )

    def _quietly(self, what: str, call: Callable[[], object]) -> bool:
        """Make the call; a database that is away, say, is logged, and tried again later."""
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the worker outlives its database
            logger.warning("Cannot %s: %s", what, error)
            self._checks().clean()
            return False
        return True

    # ------------------------------------------------------------------------------ its threads

    def _run_thread(self, number: int) -> None:
        name = f"{self.name}-{number}"
        checks = self._checks()
        runner = Runner(
            self.store,
            self.policy,
            limits=self._limits,
            checks=checks,
            on_loop=self._loop.run,
            clock=self._clock,
            step=self._step,
            told=self._tell,
            stopping=self._stopping.is_set,
        )
        size = Size(self.settings.batch)
        trouble = Poll(0.1, 5.0)
        try:
            while not self._stopping.is_set():
                try:
                    if not self._work(name, runner, size):
                        return
                    trouble.found()
                except Exception as error:  # noqa: BLE001 - the worker outlives its database
                    wait = trouble.nothing()
                    logger.warning("Trouble with the database, again in %.1f s: %s", wait, error)
                    checks.clean()
                    self._stopping.wait(wait)
        finally:
            self._end_thread()

    def _work(self, name: str, runner: Runner, size: Size) -> bool:
        """Claim and run once; False where there is nothing more to do."""
        with self._turn:
            found = self._claim(name, size.limit)
            if found is None:
                return False
            claim, begun = self.busy[name] = found
        try:
            started = self._clock()
            batch = runner.run(claim, begun + self.settings.lease)
            seconds = self._clock() - started - batch.awaited
            size.learn(batch.begun, len(claim.owed), seconds)
        finally:
            self.busy.pop(name, None)
        return True

    def _claim(self, name: str, limit: int) -> tuple[Claim, float] | None:
        """Something that is due, once there is, and when it was asked for; None: end."""
        while not self._stopping.is_set():
            for lane, keyed in self.store.due(self._open_lanes()):
                begun = self._clock()
                claim = self._claim_in(lane, name, limit, keyed=keyed)
                if claim.owed:
                    self._poll.found()
                    return claim, begun
            if self.settings.once:
                return None
            if self.wake.wait(self._poll.nothing()):
                self._poll.found()
        return None

    def _claim_in(self, lane: str, name: str, limit: int, *, keyed: bool) -> Claim:
        lease = self.settings.lease
        if not keyed:
            return self.store.claim(lane, limit=limit, owner=name, lease=lease)
        return self.store.claim_keyed(
            lane, limit=limit, owner=name, lease=lease, blocks=receivers.blocks
        )

    def _open_lanes(self) -> list[str]:
        if not self.settings.lanes and (not self._lanes or self._new_lanes()):
            declared = {durable.options.queue for durable in receivers.known()}
            self._lanes = sorted({*declared, *self.store.lanes()})
        # The first in turn, so that a full lane doesn't starve the next.
        self._lanes = [*self._lanes[1:], *self._lanes[:1]]
        return [lane for lane in self._lanes if lane not in self._paused]

    def _tell(self, result: Finished, seconds: float, error: BaseException | None) -> None:
        self.stats.note(result)
        if self._told is not None:
            self._told(result, seconds, error)


class Size:
    """How many deliveries to claim at once: many quick ones, few slow ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = min(10, most)

    def learn(self, begun: int, claimed: int, seconds: float) -> None:
        """Of so many that were claimed, so many were begun, in so many seconds."""
        if seconds > BUDGET:
            self.limit = max(1, min(self.limit, begun) // 2)
        elif claimed >= self.limit and seconds < BUDGET / 2:
            self.limit = min(self.most, self.limit * 2)


class _Loop:
    """One event loop, in a thread of its own, for the async receivers of all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run it on the loop and wait for it."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="signalpost-loop", daemon=True
                )
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """End the loop."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
