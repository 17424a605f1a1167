"""A way to a database server that is cut at the COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

#: By alias of the tests' settings, where its server listens.
PORTS = {"postgres": 5432, "mariadb": 3306}
#: How to connect so that the way can see what is said.
OPTIONS: dict[str, dict[str, Any]] = {"postgres": {"sslmode": "disable"}, "mariadb": {}}


class Proxy:
    """Passes on what a client and the server say, until the client says COMMIT.

    Then the connection ends: the request isn't passed on ("request"), or its answer isn't
    ("answer"), which comes once the server has committed. `at_the_cut` is called before the end.
    """

    def __init__(
        self, database: str, lost: str, at_the_cut: Callable[[], object] = lambda: None
    ) -> None:
        self.database = database
        self.lost = lost
        self.at_the_cut = at_the_cut
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """The settings of a database, over this way."""
        options = {**given.get("OPTIONS", {}), **OPTIONS[self.database]}
        return {**given, "PORT": str(self.port), "OPTIONS": options}

    def close(self) -> None:
        """End, and wait for all that is under way."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", PORTS[self.database]))
            committing = threading.Event()
            for run in (self._to_server, self._to_client):
                thread = threading.Thread(target=run, args=(client, server, committing))
                self._threads.append(thread)
                thread.start()

    def _to_server(self, client: Any, server: Any, committing: threading.Event) -> None:
        for data in _read(client):
            # As both protocols write it; not the AUTOCOMMIT of a setting.
            if data.upper().rstrip(b"\x00").endswith(b"COMMIT"):
                if self.lost == "request":
                    self._cut()
                    break
                committing.set()
            server.sendall(data)
        _end(client, server)

    def _to_client(self, client: Any, server: Any, committing: threading.Event) -> None:
        for data in _read(server):
            if committing.is_set():
                self._cut()
                break
            try:
                client.sendall(data)
            except OSError:
                break
        _end(client, server)

    def _cut(self) -> None:
        self.cuts += 1
        self.at_the_cut()


def _read(source: Any) -> Any:
    while True:
        try:
            data = source.recv(65536)
        except OSError:
            return
        if not data:
            return
        yield data


def _end(*sockets: Any) -> None:
    for each in sockets:
        with suppress(OSError):  # it has ended
            each.shutdown(socket.SHUT_RDWR)
        each.close()
