"""The project of panel_project.py, served as a developer serves it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.example.demo_process import wait_until_served
from tests.ports import free_port


@contextmanager
def panel_served(folder: Path, checkout: Path) -> Iterator[str]:
    """The address of the project, with its database in the folder."""
    port = free_port()
    command = [sys.executable, "-m", "tests.tracing.panel_project", str(port)]
    command.append(str(folder / "panel.sqlite3"))
    with (
        (folder / "panel.log").open("w") as log,
        subprocess.Popen(command, cwd=checkout, stdout=log, stderr=log) as server,
    ):
        try:
            wait_until_served(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
