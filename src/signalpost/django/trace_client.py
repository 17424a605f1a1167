"""The side of `manage.py signalpost trace` that looks: it reads the processes' sockets and prints."""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from signalpost.listing import relative
from signalpost.tracing import milliseconds

#: How long to wait before it looks for processes that have begun since, in seconds.
LOOK: float = 0.5


class Reader:
    """The processes that can be looked at, as they come and go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._selector = selectors.DefaultSelector()
        self._open: dict[Path, socket.socket] = {}
        self._read: dict[Path, bytes] = {}

    @property
    def count(self) -> int:
        """To how many processes it is connected."""
        return len(self._open)

    def connect(self) -> None:
        """Connect to the processes that it isn't connected to. One that is gone loses its socket."""
        for path in sorted(self._folder.glob("*.sock")):
            if path in self._open:
                continue
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(path))
            except OSError:
                connection.close()
                if not _is_alive(path.stem):  # left behind by a process that was killed
                    path.unlink(missing_ok=True)
                continue
            self._open[path] = connection
            self._read[path] = b""
            self._selector.register(connection, selectors.EVENT_READ, path)

    def trees(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What arrives within so many seconds."""
        if not self._open:
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            yield from self._trees_of(key.data)

    def _trees_of(self, path: Path) -> Iterator[dict[str, Any]]:
        try:
            data = self._open[path].recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._close(path)
            return
        *lines, self._read[path] = (self._read[path] + data).split(b"\n")
        for line in lines:
            if line:
                yield json.loads(line)

    def close(self) -> None:
        """Look no more."""
        for path in list(self._open):
            self._close(path)
        self._selector.close()

    def _close(self, path: Path) -> None:
        connection = self._open.pop(path)
        del self._read[path]
        self._selector.unregister(connection)
        connection.close()


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True


def wanted(tree: dict[str, Any], signal: str | None, slower_than: float) -> bool:
    """Whether the tree has a signal whose name holds the text, and something that took so long."""
    events = tree["events"]
    named = signal is None or any(signal in event["signal"] for event in events)
    slow = any((event["duration"] or 0) * 1_000 >= slower_than for event in events)
    return named and slow


def as_text(tree: dict[str, Any], bold: Callable[[str], str], red: Callable[[str], str]) -> str:
    """The tree for people: what was sent, and in it who received, with times and places."""
    lines: list[str] = []
    if tree["missed"]:
        lines.append(red(f"({tree['missed']} more were left out: this terminal was too slow)"))
    for event in tree["events"]:
        at = time.strftime("%H:%M:%S ", time.localtime(event["started"]))
        margin = at if not event["depth"] else " " * len(at)
        name = event["name"]
        if event["kind"] == "send":
            name = f"{bold(name)} from {event['sender']}"
        took = "" if event["duration"] is None else f"  {milliseconds(event['duration'])}"
        outcome = "" if event["outcome"] == "returned" else f"  {event['outcome']}"
        if event["error"]:
            outcome = red(f"{outcome}: {event['error']}")
        after = f"  (put off by {event['after']})" if event["after"] else ""
        place = f"  {relative(event['file'])}:{event['line']}" if event["file"] else ""
        lines.append(f"{margin}{'  ' * event['depth']}{name}{took}{outcome}{after}{place}")
    return "\n".join(lines)
