"""What a signal should do, in the simplest way: a list of its connections."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(slots=True, eq=False)
class Listener:
    """A receiver of the machine's. `get` gives it: a new object each time if it's a method."""

    name: str
    is_async: bool
    fails: bool
    get: Callable[[], Any] | None
    held: bool = True


@dataclasses.dataclass(slots=True, eq=False)
class Connection:
    listener: Listener
    sender: int | None
    weak: bool
    uid: Any
    priority: float


class Model:
    """The connections in the order in which they were made; what is dead isn't in it."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []

    def find(self, listener: Listener | None, sender: int | None, uid: Any) -> Connection | None:
        for connection in self.connections:
            if connection.sender != sender:
                continue
            if (
                connection.uid == uid
                if uid
                else not connection.uid and connection.listener is listener
            ):
                return connection
        return None

    def connect(self, new: Connection) -> None:
        if self.find(new.listener, new.sender, new.uid) is None:
            self.connections.append(new)
        self.bury()

    def disconnect(self, listener: Listener | None, sender: int | None, uid: Any) -> bool:
        found = self.find(listener, sender, uid)
        if found is not None:
            self.connections.remove(found)
        self.bury()
        return found is not None

    def bury(self) -> None:
        """Remove the connections of listeners that nothing holds any more."""
        strong = {id(c.listener) for c in self.connections if not c.weak}
        self.connections = [
            c for c in self.connections if c.listener.held or id(c.listener) in strong
        ]

    def sender_died(self, sender: int) -> None:
        self.connections = [c for c in self.connections if c.sender != sender]
        self.bury()

    def is_alive(self, listener: Listener) -> bool:
        return listener.held or any(c.listener is listener and not c.weak for c in self.connections)

    def called(self, sender: int | None) -> tuple[list[Listener], list[Listener]]:
        """Those whom a send reaches, in order: the sync ones and the async ones."""
        reached = [c for c in self.connections if c.sender is None or c.sender == sender]
        reached.sort(key=lambda connection: -connection.priority)
        listeners = [connection.listener for connection in reached]
        return (
            [listener for listener in listeners if not listener.is_async],
            [listener for listener in listeners if listener.is_async],
        )
