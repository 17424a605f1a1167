"""Ports for servers that are started by processes of their own."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens.

    None of those that the system gives to clients: one of them, another test's or our own that asks
    whether the server is there yet, could get it before the server has it.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(20_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
