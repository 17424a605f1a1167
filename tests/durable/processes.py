"""Workers in processes of their own, on a test's database.

Each is forked, in some milliseconds, from a process that has Django loaded and no thread.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any, Self
from unittest import mock

from tests.django_settings import RUN
from tests.durable import worker_process
from tests.durable.workers import DEADLINE

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.durable.worker_process"])


def _ensure_origin() -> None:
    """Start the process that they are forked from, if it isn't there."""
    # It has to find what this one finds: what can't be imported there is left out without a word.
    path = os.pathsep.join(filter(None, sys.path))
    environment = {
        "SIGNALPOST_TEST_RUN": RUN,
        "SIGNALPOST_TEST_FORKSERVER": "1",
        "PYTHONPATH": path,
    }
    with mock.patch.dict(os.environ, environment):
        forkserver.ensure_running()


class WorkerProcess:
    """A worker in a process, which is ended with the block."""

    def __init__(
        self,
        database: str,
        *,
        connect: dict[str, Any] | None = None,
        kill_at: tuple[str, int] | None = None,
        stop_at: tuple[str, int] | None = None,
        **worker: Any,
    ) -> None:
        _ensure_origin()
        self._pipe: Connection
        self._pipe, theirs = _context.Pipe()
        self.process = _context.Process(
            target=worker_process.work,
            args=(database, theirs, connect or {}, worker, kill_at, stop_at),
        )
        self.process.start()
        theirs.close()

    def hear(self) -> str:
        """What it says next."""
        assert self._pipe.poll(DEADLINE), "it says nothing"
        said: str = self._pipe.recv()
        return said

    def go_on(self) -> None:
        """Let it go on from where it stopped and said so."""
        self._pipe.send(None)

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def end(self) -> int:
        """Wait for it; its exit code, which is the signal's, negated, if one has killed it."""
        self.process.join(DEADLINE)
        code = self.process.exitcode
        assert code is not None, "it doesn't end"
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.kill()
        self.process.join(DEADLINE)
        self.process.close()
        self._pipe.close()
