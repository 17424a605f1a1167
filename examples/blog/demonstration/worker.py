"""The worker: `manage.py signalpost worker`, a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from demonstration.errors import DemoError

COMMAND = ("manage.py", "signalpost", "worker")
FOLDER = Path(__file__).resolve().parent.parent
SECONDS_TO_STOP = 15


class Worker:
    """Runs while entered. Its settings and its database are those of the environment."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        options = [f"-W{option}" for option in sys.warnoptions]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *options, *COMMAND],
                cwd=FOLDER,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        process = self._running
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._running.pid

    def require(self) -> None:
        """Raise a DemoError, with what it said last, if it has ended by itself."""
        code = self._running.poll()
        if code is not None:
            raise DemoError(
                f"The worker ended by itself, with exit code {code}. Its last words: {self.last_words()}"
            )

    def last_words(self) -> str:
        """Return the last line that it has printed."""
        lines = self._output.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "(it has said nothing)"

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("The worker hasn't been entered.")
        return self._process
