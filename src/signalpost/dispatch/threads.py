"""Receivers that are awaited together and call sync code, the ORM's for one."""

from __future__ import annotations

from contextlib import asynccontextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncGenerator

# How many groups of receivers are being awaited on a loop.
_groups: dict[AbstractEventLoop, int] = {}


@asynccontextmanager
async def one_thread(loop: AbstractEventLoop) -> AsyncGenerator[None, None]:
    """Have `sync_to_async` queue what receivers call at the same time, in its usual thread.

    The receivers of a send share a context, so asgiref's flag against deadlocks, set while one of
    them waits for the thread, is seen by the others, which are refused: "Single thread executor
    already being used, would deadlock". Two receivers that save a model fail so in Django 6.1. A
    loop whose thread is known isn't asked for the flag.
    """
    from asgiref.sync import AsyncToSync, SyncToAsync

    known = AsyncToSync.loop_thread_executors
    if loop not in known:
        known[loop] = SyncToAsync.single_thread_executor  # type: ignore[assignment]  # an Executor
    elif loop not in _groups:  # its thread is known to asgiref itself
        yield
        return
    _groups[loop] = _groups.get(loop, 0) + 1
    try:
        yield
    finally:
        _groups[loop] -= 1
        if not _groups[loop]:
            del _groups[loop]
            del known[loop]
