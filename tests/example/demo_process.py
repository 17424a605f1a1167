"""The demo as a process of its own, as a visitor starts it."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

SECONDS_TO_WAIT = 30


def environment(**chosen: str) -> dict[str, str]:
    """This process's environment without what steers the demo or Django, and with ``chosen``."""
    steering = {
        "DJANGO_SETTINGS_MODULE",
        "ONCE",
        "DURABLE",
        "PORT",
        "EMAIL_HOST",
        "EMAIL_PORT",
        "BLOG_DATABASE",
    }
    inherited = {name: value for name, value in os.environ.items() if name not in steering}
    return {**inherited, "PYTHONUTF8": "1", **chosen}


def demo_command(*, after: str = "") -> list[str]:
    """How to start the demo with each warning an error; ``after`` runs first, in its process."""
    python = [sys.executable, "-W", "error"]
    if not after:
        return [*python, "demo.py"]
    start = "import runpy; runpy.run_path('demo.py', run_name='__main__')"
    return [*python, "-c", f"{after}\n{start}"]


def run_once(
    folder: Path, *, after: str = "", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished demo of ``folder``, run with ONCE=1 on free ports."""
    return subprocess.run(
        demo_command(after=after),
        cwd=folder,
        env=environment(**{"ONCE": "1", "PORT": "0", **(environ or {})}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS_TO_WAIT,
        check=False,
    )


class ServingDemo:
    """A demo that serves, and what it has printed; stopped on leaving, if it still runs."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.printed: list[str] = []
        self._arriving: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            demo_command(),
            cwd=folder,
            env=environment(**environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first match of ``pattern`` in a line that wasn't read before."""
        while (line := self._next()) is not None:
            self.printed.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"{pattern!r} wasn't printed:\n" + "\n".join(self.printed))

    def _next(self) -> str | None:
        try:
            return self._arriving.get(timeout=SECONDS_TO_WAIT)
        except queue.Empty:
            return None

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Its exit code after the signal ``number``; all that it printed is in ``printed``."""
        self._process.send_signal(number)
        code = self._process.wait(timeout=SECONDS_TO_WAIT)
        while (line := self._arriving.get(timeout=SECONDS_TO_WAIT)) is not None:
            self.printed.append(line)
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._arriving.put(line.rstrip("\n"))
        self._arriving.put(None)


def wait_until_served(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"manage.py runserver didn't serve (exit code {server.poll()})")
