"""Receivers of every kind, for the random operations."""

from __future__ import annotations

import functools
from typing import Any


class Receivers:
    """Makes receivers of every kind, which record in `log` whom they heard what from."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.made = 0

    def _record(self, name: str, named: dict[str, Any]) -> str:
        del named["signal"]
        sender = str(named.pop("sender"))
        self.log.append((name, sender, list(named.items())))
        return f"{name}'s answer"

    def make(self, kind: str, other: Any) -> Any:
        self.made += 1
        name = f"{kind} {self.made}"
        record = self._record

        def function(**named: Any) -> str:
            signal = named["signal"]
            answer = record(name, named)
            if kind == "disconnecting":
                signal.disconnect(other)
            if kind == "connecting" and other is not None:
                signal.connect(other)
            if kind == "failing":
                raise ValueError(name)
            return answer

        async def later(**named: Any) -> str:
            return record(name, named)

        class Listener:
            def __call__(self, **named: Any) -> str:
                return record(name, named)

            def hear(self, **named: Any) -> str:
                return record(name, named)

        function.__qualname__ = later.__qualname__ = name
        if kind == "method":
            return Listener().hear
        if kind == "object":
            return Listener()
        if kind == "partial":
            return functools.partial(function)
        return later if kind == "async" else function
