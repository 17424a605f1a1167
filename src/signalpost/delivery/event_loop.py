"""The event loop of a worker, on which the async receivers of all its threads run."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent import futures
from typing import Any

logger: logging.Logger = logging.getLogger("signalpost.worker")

#: Seconds that what receivers have left running on the loop is given to end.
GRACE = 5.0


async def _nothing() -> None: ...


class EventLoop:
    """One loop in a thread of its own, so that what is bound to a loop, a client say, may be kept.

    The thread is started when there is something to run.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    def run(
        self,
        coroutine: Coroutine[Any, Any, Any],
        meanwhile: Callable[[], object],
        every: float,
    ) -> Any:
        """Run it on the loop and wait for it; call `meanwhile` each so many seconds."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        while not futures.wait([future], timeout=every).done:
            meanwhile()
        return future.result()

    def close(self, ended: Callable[[], Awaitable[object]] = _nothing) -> None:
        """Cancel what is left on the loop, await `ended` on it, and end it."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        try:
            self.run(_wind_up(ended), lambda: None, GRACE)
        except Exception as error:  # noqa: BLE001 - it is to end, whatever receivers left there
            logger.warning("The event loop did not end in good order: %r", error)
        self._closing = True
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._run_forever,
                    args=(self._loop,),
                    name="signalpost-loop",
                    daemon=True,
                )
                self._thread.start()
            return self._loop

    def _run_forever(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        while not self._closing:
            # It comes back where a receiver has stopped the loop, or has raised SystemExit in a
            # task of its own. Others are awaited on it.
            try:
                loop.run_forever()
            except BaseException as error:  # noqa: BLE001 - said above
                logger.warning("A task that a receiver has left running raised %r", error)


async def _wind_up(ended: Callable[[], Awaitable[object]]) -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=GRACE)
    loop = asyncio.get_running_loop()
    await ended()
    await loop.shutdown_asyncgens()
    await asyncio.wait_for(loop.shutdown_default_executor(), GRACE)
