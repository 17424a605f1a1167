"""Awaiting several receivers at once, by Django 6.1's rules; see `calls.await_each`."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

from signalpost.dispatch import hooks
from signalpost.dispatch.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence


async def run_together(awaitables: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """What each gives, in their order. The first to fail cancels the others."""
    context = contextvars.copy_context()
    responses: dict[int, Any] = {}
    failed = False
    event = None if hooks.observe is None else hooks.event.get()

    async def run(index: int, awaitable: Coroutine[Any, Any, Any]) -> None:
        nonlocal failed
        try:
            responses[index] = await (awaitable if event is None else event.steps(awaitable))
        except asyncio.CancelledError:
            raise
        except BaseException:
            failed = True
            raise

    alone: BaseException | None = None
    try:
        async with one_thread(asyncio.get_running_loop()), asyncio.TaskGroup() as group:
            for index, awaitable in enumerate(awaitables):
                if failed:  # at once, in a task that started eagerly: the group takes no more
                    awaitable.close()
                    continue
                group.create_task(run(index, awaitable), context=context)
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) > 1:
            raise
        alone = next(iter(failures.exceptions))
    finally:
        _adopt_context(context)
    if alone is not None:
        raise alone  # out here, so that its cause and context stay what they are
    if len(responses) < len(awaitables):
        # A receiver raised CancelledError. The group takes that for a task that somebody cancelled
        # and says nothing; whoever awaits one receiver would see it, so do we.
        raise asyncio.CancelledError
    return [responses[index] for index in range(len(awaitables))]


def _adopt_context(context: Any) -> None:
    """Set in the current context what the receivers have set in theirs."""
    missing = object()
    for variable in context:
        if variable is hooks.event:
            continue  # each has its own
        value = context[variable]
        if variable.get(missing) is not value:
            variable.set(value)
