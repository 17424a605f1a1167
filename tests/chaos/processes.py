"""The processes of the chaos: forked, so that one more is there at once, and ended by their ids only."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import telling
from tests.chaos.history import History

_PR_SET_PDEATHSIG = 1


@dataclass(eq=False)
class Process:
    """A child that hasn't been waited for, so that its id is nobody else's."""

    name: str
    kind: str
    pid: int
    #: Whether it was asked to stop, and so may end.
    asked: bool = False
    stopped_until: float | None = None
    started: float = field(default_factory=time.monotonic)


def when_asked(stop: Callable[[], None]) -> None:
    """Have a child call this when it is asked to stop, or was already."""
    signal.signal(signal.SIGTERM, lambda *_: stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


class Processes:
    """Starts them, signals them, notes how they have ended."""

    def __init__(self, folder: Path, history: History) -> None:
        self.folder = folder
        self.history = history
        self.alive: list[Process] = []
        #: How long one that has stopped itself does nothing, in seconds.
        self.nap: Callable[[], float] = lambda: 1.0
        self._started = 0

    def start(self, kind: str, target: Callable[[], None]) -> Process:
        """Run the target in a process of its own."""
        self._started += 1
        name = f"{kind}-{self._started}"
        sys.stdout.flush()
        # A child that is asked to stop before it has begun does so when it has.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        pid = os.fork()
        if pid == 0:
            self._be(name, target)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        process = Process(name, kind, pid)
        self.alive.append(process)
        self.history.note("started", name)
        return process

    def _be(self, name: str, target: Callable[[], None]) -> None:
        code = 70
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if sys.platform == "linux":
                # Should the harness itself be killed, nothing of it stays.
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            log = os.open(self.folder / "errors.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            telling.begin(self.history.path, name)
            target()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def of(self, kind: str) -> list[Process]:
        return [process for process in self.alive if process.kind == kind]

    def kill(self, process: Process) -> None:
        self.history.note("kill", process.name)
        os.kill(process.pid, signal.SIGKILL)

    def ask(self, process: Process) -> None:
        """Ask it to stop, once: asked again, the command ends at once, as a user means it."""
        if process.asked:
            return
        process.asked = True
        self.history.note("asked", process.name)
        self.go_on(process)
        os.kill(process.pid, signal.SIGTERM)

    def stop(self, process: Process, seconds: float) -> None:
        """Have it do nothing for so long, and not know of it."""
        process.stopped_until = time.monotonic() + seconds
        os.kill(process.pid, signal.SIGSTOP)
        self.history.note("stopped", process.name)

    def go_on(self, process: Process) -> None:
        """Have it continue, if it was stopped."""
        if process.stopped_until is not None:
            process.stopped_until = None
            self.history.note("continued", process.name)
            os.kill(process.pid, signal.SIGCONT)

    def look_after(self) -> None:
        """Note who has ended, and have those continue whose time is over."""
        now = time.monotonic()
        for process in list(self.alive):
            pid, status = os.waitpid(process.pid, os.WNOHANG | os.WUNTRACED)
            if pid and os.WIFSTOPPED(status):
                if process.stopped_until is None:  # it has stopped itself
                    process.stopped_until = now + self.nap()
                    self.history.note("stopped", process.name)
            elif pid:
                self._ended(process, os.waitstatus_to_exitcode(status))
            elif process.stopped_until is not None and process.stopped_until <= now:
                self.go_on(process)

    def _ended(self, process: Process, code: int) -> None:
        self.alive.remove(process)
        if code == -signal.SIGKILL:
            self.history.note("killed", process.name)
        elif code == 0 and process.asked:
            self.history.note("ended", process.name)
        else:
            self.history.note("failed by itself", process.name, note=f"exit code {code}")

    def wait(self, kind: str, seconds: float) -> list[Process]:
        """Wait until all of that kind have ended; those that haven't after so long."""
        until = time.monotonic() + seconds
        while self.of(kind) and time.monotonic() < until:
            self.look_after()
            time.sleep(0.01)
        return self.of(kind)

    def end_all(self) -> None:
        """End whatever is left, at once."""
        for process in self.alive:
            os.kill(process.pid, signal.SIGKILL)
        for process in self.alive:
            os.waitpid(process.pid, 0)
        self.alive.clear()
