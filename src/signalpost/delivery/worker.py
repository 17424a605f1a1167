"""The worker: threads that claim and run, and others that look after what they hold.

``Worker.run`` keeps house: it reclaims what lost workers held, and gives signs of life. Leases are
renewed by a thread that does nothing else, so that nothing it would wait for makes them lapse.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from signalpost.delivery.claiming import Claiming
from signalpost.delivery.event_loop import EventLoop
from signalpost.delivery.execution import Policy
from signalpost.delivery.leases import Leases
from signalpost.delivery.limits import Limits
from signalpost.delivery.running import Checks, Runner
from signalpost.delivery.sizing import BUDGET
from signalpost.delivery.store import DEAD, DONE, Beat, Finished, Store
from signalpost.delivery.waiting import Every, Poll, Wake

logger: logging.Logger = logging.getLogger("signalpost.worker")

#: How often a worker gives a sign of life, and looks for pauses, in seconds.
_BEAT_EVERY, _PAUSES_EVERY = 10.0, 1.0
#: The shortest and the longest wait of a thread for a database that is away.
_TROUBLE = (0.1, 5.0)


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
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def note(self, result: Finished) -> None:
        """Count a delivery that has ended; any thread may."""
        if result.returned:
            return
        with self._lock:
            if result.state == DONE:
                self.done += 1
            elif result.state == DEAD:
                self.dead += 1
            else:
                self.retried += 1


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
        self.name: str = f"{platform.node()[:50]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.stats: Stats = Stats()
        self.wake: Wake = Wake()
        self._checks = checks
        self._listen = listen
        self._end_thread = end_thread
        self._told = told
        self._step = step
        self._clock = clock
        self._limits = Limits()
        self._loop = EventLoop()
        self._is_time_to_reclaim = Every(min(5.0, settings.lease / 4), clock)
        self._is_time_for_a_beat = Every(_BEAT_EVERY, clock)
        self._is_time_for_pauses = Every(_PAUSES_EVERY, clock)
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Claim no more, hand back what hasn't begun, and end once what runs has ended."""
        self._stopping.set()
        self.wake.set()

    def run(self) -> Stats:
        """Work until `stop`, or, with `once`, until nothing is due."""
        settings = self.settings
        claiming = Claiming(
            self.store,
            self.wake,
            self._stopping,
            self._clock,
            lanes=settings.lanes,
            batch=settings.batch,
            lease=settings.lease,
            poll=settings.poll,
            once=settings.once,
        )
        leases = Leases(self.store, settings.lease, self._clock)
        threads = [
            threading.Thread(
                target=self._run_thread,
                args=(f"{self.name}-{number}", claiming, leases),
                name=f"signalpost-{number}",
            )
            for number in range(settings.concurrency)
        ]
        others = [threading.Thread(target=self._renew, args=(leases,), name="signalpost-leases")]
        if self._listen is not None:
            listen, wake = self._listen, self.wake
            others.append(
                threading.Thread(
                    target=lambda: listen(wake, self._stopped), name="signalpost-listener"
                )
            )
        self._keep_house(claiming)  # first, so that `once` finds what lost workers have left
        for thread in (*threads, *others):
            thread.start()
        try:
            while alive := [thread for thread in threads if thread.is_alive()]:
                self._keep_house(claiming)
                # Short, so that a worker whose threads have ended does so at once.
                alive[0].join(min(0.1, settings.lease / 20))
        finally:
            self.stop()
            for thread in threads:
                thread.join()
            self._stopped.set()
            for thread in others:
                thread.join()
            self._loop.close(self._checks().aend)
            self._limits.close()
            self._quietly("leave", lambda: self.store.leave(self.name))
            self._end_thread()
        return self.stats

    # ------------------------------------------------------------------------ looking after it

    def _keep_house(self, claiming: Claiming) -> None:
        """Do what it is time for."""
        if self._is_time_for_pauses():
            self._note_pauses(claiming)
        if self._is_time_to_reclaim():
            self._quietly("reclaim", self._reclaim)
        if self._is_time_for_a_beat():
            self._beat()

    def _reclaim(self) -> None:
        found = self.store.reclaim()
        if found:
            logger.warning("%d deliveries had been claimed by a worker that was lost", found)
            self.wake.set()

    def _renew(self, leases: Leases) -> None:
        try:
            while not self._stopped.wait(min(1.0, self.settings.lease / 20)):
                self._quietly("renew leases", leases.renew)
        finally:
            self._end_thread()

    def _note_pauses(self, claiming: Claiming) -> None:
        def note() -> None:
            claiming.paused = self.store.paused()

        self._quietly("look for pauses", note)

    def _beat(self) -> None:
        stats = {
            "done": self.stats.done,
            "retried": self.stats.retried,
            "dead": self.stats.dead,
            "lease": self.settings.lease,
        }
        lanes = self.settings.lanes
        self._quietly(
            "beat",
            lambda: self.store.beat(
                Beat(self.name, platform.node(), os.getpid(), self.version, lanes, stats)
            ),
        )

    def _quietly(self, what: str, call: Callable[[], object]) -> None:
        """Make the call; a database that is away, say, is logged, and tried again later."""
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the worker outlives its database
            logger.warning("Cannot %s: %s", what, error)
            self._checks().clean()

    # ------------------------------------------------------------------------------ its threads

    def _run_thread(self, name: str, claiming: Claiming, leases: Leases) -> None:
        checks = self._checks()
        runner = Runner(
            self.store,
            self.policy,
            limits=self._limits,
            checks=checks,
            on_loop=self._on_loop,
            clock=self._clock,
            wait=self._stopping.wait,
            step=self._step,
            told=self._tell,
            stopping=self._stopping.is_set,
            # Whatever it is, it was raised by a receiver: nobody interrupts this thread.
            catches=(BaseException,),
        )
        trouble = Poll(*_TROUBLE)
        try:
            while not self._stopping.is_set():
                try:
                    if not self._work(name, claiming, leases, runner):
                        return
                    trouble.found()
                except Exception as error:  # noqa: BLE001 - the worker outlives its database
                    wait = trouble.nothing()
                    logger.warning("Trouble with the database, again in %.1f s: %s", wait, error)
                    checks.clean()
                    self._stopping.wait(wait)
        finally:
            self._end_thread()

    def _work(self, name: str, claiming: Claiming, leases: Leases, runner: Runner) -> bool:
        """Claim and run once; False where there is nothing more to do."""
        claimed = claiming.next(name)
        if claimed is None:
            return False
        with leases.hold(claimed.claim, claimed.begun) as lease:
            started = self._clock()
            batch = runner.run_lease(lease)
            claiming.learn(claimed, batch.begun, self._clock() - started - batch.awaited)
        return True

    def _on_loop(self, coroutine: Coroutine[Any, Any, Any], meanwhile: Callable[[], object]) -> Any:
        return self._loop.run(coroutine, meanwhile, BUDGET)

    def _tell(self, result: Finished, seconds: float, error: BaseException | None) -> None:
        self.stats.note(result)
        if self._told is not None:
            self._told(result, seconds, error)
