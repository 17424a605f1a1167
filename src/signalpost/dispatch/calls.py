"""The call loop, sync and async, with the failure policy as an argument.

The policy is None, where a receiver's exception goes to the sender, or a function that is told of
the receiver and the error, after which the error stands as the response. Only `Exception`s are a
matter of policy; what else a receiver raises always goes to the sender.

`codegen` writes the same loop, for the policy None and sync receivers, without its generality.
"""

from __future__ import annotations

import sys

from signalpost.dispatch import hooks
from signalpost.dispatch.names import receiver_name
from signalpost.dispatch.outcomes import Failure, Outcome
from signalpost.exceptions import RunningLoopError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from signalpost.dispatch.signal import Signal
    from signalpost.dispatch.types import OnError, Receiver, Responses


def call_all(
    signal: Signal, sender: Any, named: dict[str, Any], on_error: OnError | None = None
) -> Responses:
    """Call the sync receivers, then the async ones, and return pairs of receiver and response."""
    live = signal._live_receivers(sender)
    named, sync, asynchronous = begin(*live, signal, sender, named)
    observe = hooks.observe  # once: it may end at any time
    if observe is not None and (sync or asynchronous):
        with observe(signal, sender):
            return _call_both(sync, asynchronous, signal, sender, named, on_error)
    return _call_both(sync, asynchronous, signal, sender, named, on_error)


def _call_both(
    sync: Sequence[Receiver],
    asynchronous: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Responses:
    if not asynchronous:
        return call_each(sync, signal, sender, named, on_error)
    refuse_running_loop(signal, asynchronous)
    responses = call_each(sync, signal, sender, named, on_error)
    responses += await_each_from_sync(asynchronous, signal, sender, named, on_error)
    return responses


async def await_all(
    sync: Sequence[Receiver],
    asynchronous: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None = None,
) -> Responses:
    """Async version of `call_all`: the sync receivers run in one hop to asgiref's sync thread."""
    named, sync, asynchronous = begin(sync, asynchronous, signal, sender, named)
    observe = hooks.observe  # once: it may end at any time
    if observe is not None and (sync or asynchronous):
        with observe(signal, sender):
            return await _await_both(sync, asynchronous, signal, sender, named, on_error)
    return await _await_both(sync, asynchronous, signal, sender, named, on_error)


async def _await_both(
    sync: Sequence[Receiver],
    asynchronous: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Responses:
    if not sync:
        return await await_each(asynchronous, signal, sender, named, on_error)
    from asgiref.sync import sync_to_async

    hop = sync_to_async(call_each, thread_sensitive=True)
    responses = await hop(sync, signal, sender, named, on_error)
    responses += await await_each(asynchronous, signal, sender, named, on_error)
    return responses


def begin(
    sync: Sequence[Receiver],
    asynchronous: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
) -> tuple[dict[str, Any], Sequence[Receiver], Sequence[Receiver]]:
    """The payload, completed and checked, and whom the send reaches; the rules have looked at it."""
    if signal._payload is not None:
        named = signal._payload.completed(signal, named)
    if signal._registry.scopes:
        sync, asynchronous = audible(sync, asynchronous, signal, sender, named)
    if signal._ruled:
        from signalpost.dispatch import ruled

        ruled.prepare([*sync, *asynchronous], signal, sender, named)
    return named, sync, asynchronous


def call_each(
    receivers: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Responses:
    if signal._ruled:
        from signalpost.dispatch import ruled

        return ruled.call_each(receivers, signal, sender, named, on_error)
    return [call_one(receiver, signal, sender, named, on_error) for receiver in receivers]


def call_one(
    receiver: Receiver, signal: Signal, sender: Any, named: dict[str, Any], on_error: OnError | None
) -> tuple[Receiver, Any]:
    try:
        if (observe := hooks.observe) is None:
            response = _call(receiver, signal, sender, named)
        else:
            with observe(signal, sender, receiver):
                response = _call(receiver, signal, sender, named)
    except Exception as error:
        if on_error is None:
            raise
        on_error(receiver, error)
        return Failure(receiver, error)
    return (receiver, response) if on_error is None else Outcome(receiver, response)


async def await_each(
    receivers: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Responses:
    """Await the receivers, concurrently where there are several, sharing the caller's context.

    One failure is raised bare, more as an ExceptionGroup; the first cancels the others. Context
    variables that the receivers set are the caller's afterwards. These are Django 6.1's rules.
    """
    receivers = list(receivers)
    if signal._ruled:
        from signalpost.dispatch import ruled

        return await ruled.await_each(receivers, signal, sender, named, on_error)
    return await await_together(receivers, signal, sender, named, on_error)


async def await_together(
    receivers: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Responses:
    if not receivers:
        return []
    awaitables = [_await(receiver, signal, sender, named, on_error) for receiver in receivers]
    if len(awaitables) == 1:
        outcomes = [await awaitables[0]]
    else:
        from signalpost.dispatch.together import run_together

        outcomes = await run_together(awaitables)
    return [outcome for outcome in outcomes if outcome is not None]


def await_each_from_sync(
    receivers: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Responses:
    from asgiref.sync import async_to_sync

    return async_to_sync(await_each)(receivers, signal, sender, named, on_error)


def audible(
    sync: Sequence[Receiver],
    asynchronous: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
) -> tuple[list[Receiver], list[Receiver]]:
    """The receivers that aren't muted here; those who capture are told of the send."""
    from signalpost.dispatch import scopes

    scopes.note(signal, sender, named)
    return (
        scopes.audible(signal, sender, sync),
        scopes.audible(signal, sender, asynchronous),
    )


def refuse_running_loop(signal: Signal, receivers: Sequence[Receiver]) -> None:
    """Raise before any receiver ran: async ones can't be awaited from sync code in a running loop.

    Django finds out only after it has called the sync receivers.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return
    names = ", ".join(f"'{receiver_name(receiver)}'" for receiver in receivers)
    raise RunningLoopError(
        f"Cannot send signal '{signal.name}' from inside a running event loop: it has async "
        f"receivers ({names}), which `send` can't await there. No receiver was called. "
        "Use `await signal.asend(...)` (or `asend_robust`)."
    )


def _call(receiver: Receiver, signal: Signal, sender: Any, named: dict[str, Any]) -> Any:
    payload = signal._payload
    if payload is None:
        return receiver(signal=signal, sender=sender, **named)
    every = {"signal": signal, "sender": sender, **named}
    passed = payload.passed_to(receiver, tuple(named))
    return receiver(**every if passed is None else {name: every[name] for name in passed})


async def _await(
    receiver: Receiver,
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Any:
    if signal._ruled:
        from signalpost.dispatch.ruled import AsyncRuled

        if isinstance(receiver, AsyncRuled):
            return await receiver.answer(signal, sender, named, on_error)
    try:
        if (observe := hooks.observe) is None:
            response = await _call(receiver, signal, sender, named)
        else:
            with observe(signal, sender, receiver) as event:
                response = await event.steps(_call(receiver, signal, sender, named))
    except Exception as error:
        if on_error is None:
            raise
        on_error(receiver, error)
        return Failure(receiver, error)
    return (receiver, response) if on_error is None else Outcome(receiver, response)
