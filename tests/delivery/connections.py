"""Receivers that are connected for one test."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections

import signalpost


class Connected:
    """``@connected(signal, **options)`` connects; `close` disconnects all."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, Any, Any]] = []
        self._kept: list[Any] = []

    def __call__(self, signal: Any, **options: Any) -> Any:
        def connect(receiver: Any) -> Any:
            signalpost.receiver(signal, **options)(receiver)
            self._made.append((signal, receiver, options.get("sender")))
            return receiver

        return connect

    def close(self) -> None:
        for signal, receiver, sender in self._made:
            signal.disconnect(receiver, sender=sender)


def run_async(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run it, and close the connections that its threads have opened."""

    async def run() -> Any:
        try:
            return await coroutine
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(run())
