"""A worker's process: the real worker, which tells of its claims and may kill itself at one of its steps."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.management import call_command

from signalpost.delivery.execution import idempotency_key
from signalpost.delivery.store import DONE, Claim, Finished, Slot
from signalpost.delivery.worker import Settings, Worker
from signalpost.django.management.subcommands import worker as command
from signalpost.django.working import make_worker, poll_of
from tests.chaos import telling
from tests.chaos.processes import when_asked
from tests.chaos.receivers import OUTSIDE, outlasting
from tests.chaos.shapes import Shape


class Watched:
    """A store that tells when a claim was asked for, what was settled, and what came too late for it."""

    def __init__(self, store: Any, steps: Steps, lease: float) -> None:
        self._store = store
        self._steps = steps
        self._lease = lease

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def claim(self, *args: Any, **named: Any) -> Claim:
        self._steps.asked()
        with held_up_if_longer(self._lease / 4):
            return self._store.claim(*args, **named)  # type: ignore[no-any-return]  # the store's

    def claim_keyed(self, *args: Any, **named: Any) -> Claim:
        self._steps.asked()
        with held_up_if_longer(self._lease / 4):
            return self._store.claim_keyed(*args, **named)  # type: ignore[no-any-return]  # same

    def renew(self, *args: Any) -> int:
        with held_up_if_longer(self._lease / 4):
            return self._store.renew(*args)  # type: ignore[no-any-return]  # the store's

    def finish(self, results: Sequence[Finished], slots: Sequence[Slot] = ()) -> int:
        with held_up_if_longer(self._lease / 4):
            lost: int = self._store.finish(results, slots)
        for result in results:
            owed = result.owed
            # Atomic ones are settled once their transaction is; the tables tell of those.
            if result.state == DONE and owed.receiver in OUTSIDE:
                id_ = str(idempotency_key(owed.uid, owed.receiver))
                telling.tell("settled", receiver=owed.receiver, delivery=id_)
        if lost:
            telling.tell("lost", attempt=lost)
        return lost


class Steps:
    """Tells of a worker's claims, and kills it at its failpoint."""

    def __init__(self, shape: Shape) -> None:
        self.failpoint = shape.failpoint
        self.signal = shape.signal
        self.countdown = shape.countdown
        self._lock = threading.Lock()
        self._thread = threading.local()

    def asked(self) -> None:
        """A claim is about to be made, so its leases end no sooner than one lease after now."""
        self._thread.asked = time.monotonic()

    def __call__(self, name: str) -> None:
        if name == "claimed":
            self._thread.claims = getattr(self._thread, "claims", 0) + 1
            thread = threading.current_thread().name
            telling.batch.set(f"{telling.process()}/{thread}/{self._thread.claims}")
            telling.tell("claimed", note=f"{self._thread.asked:.6f}")
        if name == self.failpoint:
            with self._lock:
                self.countdown -= 1
                if self.countdown == 0:
                    kind = "failpoint" if self.signal == signal.SIGKILL else "stops itself"
                    telling.tell(kind, note=name)
                    os.kill(os.getpid(), self.signal)


@contextmanager
def held_up_if_longer(seconds: float) -> Iterator[None]:
    """Tell of a call that took longer: meanwhile a lease may have ended, through no fault of the worker."""
    started = time.monotonic()
    try:
        yield
    finally:
        took = time.monotonic() - started
        if took >= seconds:
            telling.tell("held up", note=f"{took:.6f}")


def tell_of_pauses(seconds: float) -> None:
    """Tell whenever this process had no turn for so long: it was stopped, or the machine is too busy."""
    while True:
        with held_up_if_longer(seconds):
            time.sleep(0.05)


class Logged(logging.Handler):
    """Puts what the worker warns of into the history, but for the failures of its receivers."""

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "delivery"):
            return
        text = record.getMessage()
        telling.tell("trouble", note=f"worker: {text}"[:100])
        if record.exc_info:
            logging.lastResort.emit(record)  # type: ignore[union-attr]  # it is there unless removed


def work(shape: Shape) -> None:
    """What a worker's process does until it is asked to stop, or killed."""
    logger = logging.getLogger("signalpost.worker")
    logger.addHandler(Logged(logging.WARNING))
    logger.propagate = False
    outlasting[0] = shape.lease * 1.4
    threading.Thread(target=tell_of_pauses, args=(shape.lease / 4,), daemon=True).start()
    if shape.command:
        _work_by_command(shape)
        return
    settings = Settings(
        lanes=shape.lanes,
        concurrency=shape.threads,
        poll=poll_of("default"),
    )
    worker = _make(shape, "default", settings)
    when_asked(worker.stop)
    worker.run()


def _work_by_command(shape: Shape) -> None:
    """``manage.py signalpost worker``, with a lease that it would refuse to be given."""
    command.make_worker = partial(_make_unblocked, shape)
    queues = [f"--queue={lane}" for lane in shape.lanes]
    threads = f"--concurrency={shape.threads}"
    call_command("signalpost", "worker", *queues, threads, "--verbosity=0")


def _make(shape: Shape, alias: str, settings: Settings, **options: Any) -> Worker:
    """The real worker, watched."""
    steps = Steps(shape)
    settings = replace(settings, batch=shape.batch, lease=shape.lease)
    worker = make_worker(alias, settings, step=steps, **options)
    worker.store = Watched(worker.store, steps, shape.lease)
    return worker


def _make_unblocked(shape: Shape, alias: str, settings: Settings, **options: Any) -> Worker:
    """The same, which may be asked to stop once it is run: then the command's own handlers are there."""
    worker = _make(shape, alias, settings, **options)
    run = worker.run

    def unblock_and_run() -> Any:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return run()

    worker.run = unblock_and_run  # type: ignore[method-assign]  # of this one only
    return worker
