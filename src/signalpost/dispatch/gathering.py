"""`send_all`: every receiver runs, then what failed is raised as one group."""

from __future__ import annotations

from signalpost.dispatch import calls, hooks
from signalpost.dispatch.names import receiver_name
from signalpost.dispatch.outcomes import Failure, LoggedFailure, Outcome
from signalpost.dispatch.ruled import without_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from signalpost.dispatch.signal import Signal
    from signalpost.dispatch.types import Receiver, Responses


def send_all(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
    live = signal._live_receivers(sender)
    named, sync, asynchronous = calls.begin(*live, signal, sender, named)
    if asynchronous:
        calls.refuse_running_loop(signal, asynchronous)
    with hooks.sending(signal, sender, sync, asynchronous):
        responses = _call_each(sync, signal, sender, named)
        if asynchronous:
            from asgiref.sync import async_to_sync

            responses += async_to_sync(_await_each)(asynchronous, signal, sender, named)
        return _settle(signal, responses)


async def asend_all(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
    live = signal._live_receivers(sender)
    named, sync, asynchronous = calls.begin(*live, signal, sender, named)
    responses: Responses = []
    with hooks.sending(signal, sender, sync, asynchronous):
        if sync:
            from asgiref.sync import sync_to_async

            responses += await sync_to_async(_call_each)(sync, signal, sender, named)
        responses += await _await_each(asynchronous, signal, sender, named)
        return _settle(signal, responses)


def _call_each(
    receivers: Sequence[Receiver], signal: Signal, sender: Any, named: dict[str, Any]
) -> Responses:
    responses: Responses = []
    for receiver in receivers:
        try:
            with hooks.protection(True):
                pairs = calls.call_each([receiver], signal, sender, named, None)
        except Exception as error:  # noqa: BLE001 - raised when all have run
            responses.append(Failure(without_rules(receiver), error))
        else:
            responses += [_outcome(pair) for pair in pairs]
    return responses


async def _await_each(
    receivers: Sequence[Receiver], signal: Signal, sender: Any, named: dict[str, Any]
) -> Responses:
    if not receivers:
        return []
    if hooks.in_transaction is None or not await _in_transaction():
        pairs = await calls.await_each(receivers, signal, sender, named, _ignore)
        return [_outcome(pair) for pair in pairs]
    responses: Responses = []  # one by one: what fails is undone alone
    for receiver in receivers:
        try:
            async with hooks.protection(True):
                pairs = await calls.await_each([receiver], signal, sender, named, None)
        except Exception as error:  # noqa: BLE001 - raised when all have run
            responses.append(Failure(without_rules(receiver), error))
        else:
            responses += [_outcome(pair) for pair in pairs]
    return responses


async def _in_transaction() -> bool:
    from asgiref.sync import sync_to_async

    return hooks.in_transaction is not None and await sync_to_async(hooks.in_transaction)()


def _outcome(pair: tuple[Receiver, Any]) -> Outcome:
    return pair if isinstance(pair, Outcome) else Outcome(*pair)


def _ignore(receiver: Receiver, error: Exception) -> None:
    """The failure stands in the outcome."""


def _settle(signal: Signal, responses: Responses) -> Responses:
    """The responses, or the failures as a group; those that a receiver has logged don't count."""
    failures: list[Exception] = []
    for outcome in responses:
        if isinstance(outcome, Failure) and not isinstance(outcome, LoggedFailure):
            outcome.error.add_note(f"Raised by receiver '{receiver_name(outcome.receiver)}'.")
            failures.append(outcome.error)
    if failures:
        of = f"{len(failures)} of {len(responses)} receivers"
        raise ExceptionGroup(f"{of} of signal '{signal.name}' failed", failures)
    return responses
