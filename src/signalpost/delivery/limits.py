"""``timeout=`` of receivers that run in threads: an exception is raised in the thread.

It comes between two of its bytecodes, so a receiver that hangs in C, in a socket without a timeout
of its own say, is stopped only when that returns.

It may come anywhere in the thread's code, ours too, so that takes no lock which others wait for: one
that was interrupted just there would never be released. Instead each run has a token. Who takes it,
the watcher that raises or the thread that is through, has decided what happens; and the thread, if it
comes second, stays until the exception has come, or takes it back.
"""

from __future__ import annotations

import ctypes
import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

#: How often a thread looks whether what was raised in it is on its way, in seconds.
_MOMENT = 0.0005


class Limits:
    """Watches the runs of the threads that use it, in a thread of its own."""

    def __init__(self) -> None:
        self._runs: dict[int, _Run] = {}
        #: When the watcher looks next, by the monotonic clock.
        self._next = math.inf
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None
        self._wake: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def run(
        self, call: Callable[[], object], seconds: float, late: Callable[[], BaseException]
    ) -> None:
        """Make the call. Raises what `late` gives where it takes longer than so many seconds."""
        self._start()
        thread = threading.get_ident()
        run = _Run(thread, time.monotonic() + seconds)
        try:
            try:
                self._runs[thread] = run  # instead of the thread's last one
                if run.until < self._next:
                    self._wake.put(True)
                call()
            finally:
                run.end()
        except _Stopped:
            raise late() from None

    def close(self) -> None:
        """End the watcher. No run may be under way."""
        if self._watcher is not None:
            self._wake.put(False)
            self._watcher.join()
            self._watcher = None

    def _start(self) -> None:
        if self._watcher is None:
            with self._lock:
                if self._watcher is None:
                    self._watcher = threading.Thread(
                        target=self._watch, name="signalpost-timeouts", daemon=True
                    )
                    self._watcher.start()

    def _watch(self) -> None:
        while True:
            # Before the look: a run that comes during it wakes us then.
            self._next = math.inf
            now = time.monotonic()
            soonest = math.inf
            for run in list(self._runs.values()):
                if run.until <= now:
                    run.stop()
                elif run.token:
                    soonest = min(soonest, run.until)
            self._next = soonest
            try:
                wait = None if soonest == math.inf else max(0.0, soonest - now)
                if not self._wake.get(timeout=wait):
                    return
            except queue.Empty:
                continue


class _Stopped(BaseException):
    """Raised in a thread whose time is over. No receiver's `except Exception` swallows it."""


class _Run:
    __slots__ = ("raised", "thread", "token", "until")

    def __init__(self, thread: int, until: float) -> None:
        self.thread = thread
        self.until = until
        self.token = [True]
        self.raised = False

    def stop(self) -> None:
        """Raise in the thread, unless it is through."""
        if self._take():
            _raise_in(self.thread, _Stopped)
            self.raised = True

    def end(self) -> None:
        """The thread is through: from here on nothing is raised in it."""
        try:
            if self._take():
                return
            while not self.raised:
                time.sleep(_MOMENT)
            _raise_in(self.thread, None)  # if it hasn't come; it comes only once
        except _Stopped:
            return

    def _take(self) -> bool:
        try:
            return self.token.pop()  # one step: only one thread gets it
        except IndexError:
            return False


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    what: Any = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
