"""The side of `manage.py signalpost trace` that runs in the process that is looked at.

A thread waits at a Unix socket, in a folder that only this user may enter. Nothing is observed until
somebody connects; each who does gets what fires as lines of JSON, one for each tree of events, as
soon as it is complete.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import logging
import os
import socket
import stat
import sys
import tempfile
import threading
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

from django.conf import settings

from signalpost.dispatch import observing
from signalpost.dispatch.names import safe_repr, sent_by, signal_name
from signalpost.inspect import place
from signalpost.tracing import Event, nested

#: How many trees may wait for a slow reader; further ones are left out, and counted.
WAITING: int = 1_000
#: How many events of one tree are told.
EVENTS: int = 2_000
_started = threading.Lock()
_server: threading.Thread | None = None
_looking: list[Trees] = []


def is_wanted(setting: bool | None) -> bool:
    """Whether this process can be looked at: by default a development server under DEBUG."""
    if setting is not None:
        return setting
    serves = "runserver" in sys.argv[1:2]
    reloads = "--noreload" not in sys.argv
    # With the reloader there are two processes, and this variable marks the one that serves.
    return bool(settings.DEBUG) and serves and (not reloads or os.environ.get("RUN_MAIN") == "true")


def folder() -> Path:
    """Where the sockets of this project's processes are. Made, for this user alone, if need be.

    Raises a PermissionError where somebody else has made it.
    """
    project = f"{os.environ.get('DJANGO_SETTINGS_MODULE')} {getattr(settings, 'BASE_DIR', '')}"
    name = hashlib.sha256(project.encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"signalpost-{os.getuid()}" / name
    for each in (path.parent, path):
        each.mkdir(mode=0o700, exist_ok=True)
        status = each.lstat()
        if (
            not stat.S_ISDIR(status.st_mode)
            or status.st_uid != os.getuid()
            or status.st_mode & 0o77
        ):
            raise PermissionError(f"{each} isn't a folder of this user alone: remove it.")
    return path


def start() -> bool:
    """Wait for those who want to look, in a thread. Whether that could be arranged.

    Not where there are no Unix sockets; where one can't be made, that is logged.
    """
    global _server  # noqa: PLW0603 - one for each process
    if not hasattr(socket, "AF_UNIX"):
        return False
    with _started:
        if _server is None:
            try:
                server = _listen()
            except OSError as error:
                logging.getLogger("signalpost.tracing").warning(
                    "`manage.py signalpost trace` can't look at this process: %s", error
                )
                return False
            _server = threading.Thread(
                target=_serve, args=(server,), name="signalpost-trace", daemon=True
            )
            _server.start()
    return True


def _listen() -> socket.socket:
    path = folder() / f"{os.getpid()}.sock"
    bound = path.with_suffix(".new")
    bound.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(str(bound))
    except OSError:
        server.close()
        raise
    server.listen()
    path.unlink(missing_ok=True)
    bound.rename(path)  # not before it listens: who finds it and isn't answered removes it
    atexit.register(_remove, path, os.getpid())
    return server


def _remove(path: Path, process: int) -> None:
    if os.getpid() == process:  # not what a forked child inherited
        path.unlink(missing_ok=True)


def _start_anew() -> None:
    """In a forked child: its parent's threads are gone, and so are those who looked at it."""
    global _server  # noqa: PLW0603 - one for each process
    for trees in _looking:
        trees.is_closed = True
    _looking.clear()
    if _server is not None:
        _server = None
        start()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


def _serve(server: socket.socket) -> None:
    while True:
        connection, _ = server.accept()
        threading.Thread(
            target=_tell, args=(connection,), name="signalpost-trace", daemon=True
        ).start()


def _tell(connection: socket.socket) -> None:
    trees: Queue[str] = Queue(WAITING)
    observer = Trees(trees)
    _looking.append(observer)
    observing.add(observer)
    try:
        while True:
            try:
                text = trees.get(timeout=1)
            except Empty:
                text = ""  # an empty line: notices that nobody reads any more
            connection.sendall(f"{text}\n".encode())
    except OSError:
        return
    finally:
        observing.remove(observer)
        if observer in _looking:
            _looking.remove(observer)
        connection.close()


class Trees:
    """An observer that puts each tree of events into a queue, as JSON, when its root has ended.

    What a receiver does after the commit, when its send has ended, is a tree of its own.
    """

    def __init__(self, trees: Queue[str]) -> None:
        self._trees = trees
        self._root_of: dict[int, int] = {}
        self._inside: dict[int, list[Event]] = {}
        self._missed = 0
        self.is_closed = False

    def started(self, event: Event) -> None:
        """Note it in its tree."""
        if self.is_closed:
            return
        parent = None if event.parent is None else self._root_of.get(id(event.parent))
        root = parent if parent in self._inside else id(event)
        self._root_of[id(event)] = root
        tree = self._inside.setdefault(root, [])
        if len(tree) < EVENTS:
            tree.append(event)

    def finished(self, event: Event) -> None:
        """Tell the tree, if this was its root."""
        if self._root_of.pop(id(event), None) != id(event):
            return
        lines = [_as_data(depth, each) for depth, each in nested(self._inside.pop(id(event), []))]
        try:
            self._trees.put_nowait(json.dumps({"missed": self._missed, "events": lines}))
            self._missed = 0
        except Full:
            self._missed += 1


def _as_data(depth: int, event: Event) -> dict[str, Any]:
    file, line = (None, None) if event.receiver is None else place(event.receiver)
    return {
        "depth": depth,
        "kind": "send" if event.receiver is None else "receiver",
        "name": event.name,
        "signal": signal_name(event.signal),
        "sender": sent_by(event.sender),
        "started": event.started,
        "duration": event.duration,
        "outcome": event.outcome,
        "error": None if event.error is None else safe_repr(event.error),
        "after": None if depth or event.parent is None else event.parent.name,
        "file": file,
        "line": line,
    }
