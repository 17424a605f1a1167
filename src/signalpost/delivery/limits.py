"""``timeout=`` of receivers that run in threads: an exception is raised in the thread.

It comes between two of its bytecodes, so a receiver that hangs in C, in a socket without a timeout
of its own say, is stopped only when that returns.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any


class Limits:
    """Watches the runs of the threads that use it, in a thread of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._runs: dict[int, _Run] = {}
        self._watcher: threading.Thread | None = None

    def run(self, call: Callable[[], object], seconds: float, error: BaseException) -> None:
        """Make the call; raise the error where it takes longer than so many seconds."""
        run = _Run(threading.get_ident(), time.monotonic() + seconds)
        with self._changed:
            self._runs[id(run)] = run
            if self._watcher is None:
                self._watcher = threading.Thread(
                    target=self._watch, name="signalpost-timeouts", daemon=True
                )
                self._watcher.start()
            self._changed.notify()
        try:
            try:
                call()
            finally:
                run.end(self._changed)
                with self._changed:
                    self._runs.pop(id(run), None)
        except _Stopped:
            raise error from None

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                waiting = [run.until for run in self._runs.values() if not run.stopped]
                for run in self._runs.values():
                    if run.until <= now and not run.stopped:
                        run.stop()
                soonest = min((until for until in waiting if until > now), default=None)
                self._changed.wait(None if soonest is None else max(0.001, soonest - now))


class _Stopped(BaseException):
    """Raised in a thread whose time is over. No receiver's `except Exception` swallows it."""


class _Run:
    __slots__ = ("stopped", "thread", "until")

    def __init__(self, thread: int, until: float) -> None:
        self.thread = thread
        self.until = until
        self.stopped = False

    def stop(self) -> None:
        """Raise in the thread, which is still in the call: the caller holds the lock."""
        self.stopped = True
        _raise_in(self.thread, _Stopped)

    def end(self, lock: Any) -> None:
        """The call is over: take back what hasn't been raised yet."""
        while True:
            try:
                with lock:
                    self.stopped = True
                    _raise_in(self.thread, None)
            except _Stopped:
                continue  # it came just here: once more, for it comes only once
            return


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    what = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
