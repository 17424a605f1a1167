"""Commands in processes of their own, on a test's database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.django_settings import RUN

ROOT = Path(__file__).resolve().parents[3]
#: How long something may take on a busy machine, in seconds.
DEADLINE = 60.0


class Process:
    """``manage.py signalpost ...`` in a process."""

    def __init__(self, database: str, *args: str) -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.durable.operating.process_settings",
            "SIGNALPOST_TEST_RUN": RUN,
            "SIGNALPOST_TEST_DATABASE": database,
            "PYTHONPATH": os.pathsep.join(
                (str(ROOT), str(ROOT / "examples" / "blog"), os.environ.get("PYTHONPATH", ""))
            ),
        }
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "django", "signalpost", *args],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Its next line on stdout."""
        assert self.popen.stdout is not None
        return self.popen.stdout.readline()

    def error_line(self) -> str:
        """Its next line on stderr."""
        assert self.popen.stderr is not None
        return self.popen.stderr.readline()

    def send(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Wait for it: its exit code, and the rest of what it wrote."""
        out, err = self.popen.communicate(timeout=DEADLINE)
        return self.popen.returncode, out, err

    def close(self) -> None:
        """End it, whatever it does."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.communicate()


def until(condition: Callable[[], object]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it didn't happen in time"
        time.sleep(0.01)
