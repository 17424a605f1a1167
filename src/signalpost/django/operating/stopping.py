"""SIGTERM and SIGINT: the first has a worker stop, a second ends the process at once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """A context manager, for the main thread; in another one it does nothing.

    `stop` is called at the first signal, `ending` before the process ends at the second. Both run in
    a thread: a handler of Python's runs in the midst of whatever the main thread does, which may
    hold the very lock that stopping takes, or wait for a database that doesn't answer.
    """

    def __init__(
        self, stop: Callable[[signal.Signals], None], ending: Callable[[signal.Signals], None]
    ) -> None:
        self._stop = stop
        self._ending = ending
        self._restore: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        reading, writing = socket.socketpair()
        writing.setblocking(False)
        thread = threading.Thread(
            target=self._watch, args=(reading,), name="signalpost-signals", daemon=True
        )
        # The interpreter writes each signal's number there, whatever the main thread does.
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, _ignore) for number in SIGNALS}

        def restore() -> None:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            writing.close()
            thread.join()
            reading.close()

        self._restore = restore
        thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._restore()

    def _watch(self, reading: socket.socket) -> None:
        stopped = False
        while number := reading.recv(1):
            if number[0] not in SIGNALS:
                continue  # another signal, of which somebody else's handler is told
            received = signal.Signals(number[0])
            if stopped:
                self._ending(received)
                os._exit(128 + received)
            stopped = True
            self._stop(received)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Stand in the way of what the signal does by itself."""
