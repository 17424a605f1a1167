"""Receivers that were connected with rules, in a send.

Such a connection stands in the registry as any other; following its reference gives, for each send,
a `Ruled`, which is called in the receiver's place. Signals without one never come here.
"""

from __future__ import annotations

from signalpost.dispatch import calls, hooks
from signalpost.dispatch.failures import log_failure
from signalpost.dispatch.options import rules_for
from signalpost.dispatch.order import check as check_order
from signalpost.dispatch.outcomes import Failure, LoggedFailure, Outcome
from signalpost.dispatch.rules import SKIPPED, Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from signalpost.dispatch.entries import Entry
    from signalpost.dispatch.rules import Rules
    from signalpost.dispatch.signal import Signal
    from signalpost.dispatch.types import OnError, Receiver, Responses


class RuledTarget:
    """A reference to a receiver that gives it together with its rules."""

    __slots__ = ("reference", "rules")

    reference: Callable[[], Any]
    rules: Rules

    def __init__(self, reference: Callable[[], Any], rules: Rules) -> None:
        self.reference = reference
        self.rules = rules

    def __call__(self) -> Ruled | None:
        receiver = self.reference()
        if receiver is None:
            return None
        # A delivery is arranged at once, by sync code, whatever the receiver is.
        asynchronous = self.rules.is_async and self.rules.deliver is None
        return (AsyncRuled if asynchronous else Ruled)(receiver, self.rules)


def give_rules(
    entry: Entry, signal: Signal, receiver: Receiver, sender: Any, options: dict[str, Any]
) -> None:
    """Have the entry follow the options that a receiver is connected with.

    Raises a ReceiverError for what can't be followed.
    """
    rules = rules_for(signal, receiver, sender, options)
    if rules is None:
        return
    entry.target = RuledTarget(entry.target, rules)
    entry.is_async = entry.is_async and rules.deliver is None
    if rules.before or rules.after:
        with signal.lock:
            check_order(signal, signal._registry, entry)


class Ruled:
    """A receiver with rules, in one send. Called as the receiver is, it does what the rules say.

    Whoever wraps or lists receivers sees the receiver's own attributes, `__wrapped__` the receiver.
    """

    def __init__(self, receiver: Receiver, rules: Rules) -> None:
        self.__wrapped__ = receiver
        self.__module__ = getattr(receiver, "__module__", None) or type(receiver).__module__
        self.rules = rules
        self.call: Call | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["__wrapped__"], name)

    def __repr__(self) -> str:
        return f"<{self.__wrapped__!r}, connected with rules>"

    def __call__(self, *, signal: Any, sender: Any, **named: Any) -> Any:
        outcome = self.answer(signal, sender, named, None)
        return None if outcome is None else outcome[1]

    def prepare(
        self, signal: Any, sender: Any, named: dict[str, Any], shared: dict[str, Any] | None = None
    ) -> Call:
        """Look at what is sent before any receiver has had the chance to change it."""
        call = self.call = Call(self.__wrapped__, self.rules, signal, sender, named, shared)
        for preparation in self.rules.preparations:
            preparation(call)
        return call

    def answer(
        self, signal: Signal, sender: Any, named: dict[str, Any], on_error: OnError | None
    ) -> Any:
        """The outcome of the receiver, or None where the rules keep it from being called."""
        try:
            call = self._take_call(signal, sender, named)
            rules = self.rules
            if rules.conditions:
                with hooks.protection(rules.logs):
                    if not all(condition(call) for condition in rules.conditions):
                        return None
            if rules.deliver is not None:
                call.put_off(rules.deliver)
                return self._outcome(None, on_error)
            response = call.run()
        except Exception as error:
            if not self._settle(signal, error, on_error):
                raise
            return self._failure(error)
        return None if response is SKIPPED else self._outcome(response, on_error)

    def _take_call(self, signal: Signal, sender: Any, named: dict[str, Any]) -> Call:
        """What was prepared for this call, or prepared now: once for each."""
        call = self.call or self.prepare(signal, sender, named)
        self.call = None
        return call

    def _outcome(self, response: Any, on_error: OnError | None) -> Any:
        tells = self.rules.logs or on_error is not None
        return Outcome(self.__wrapped__, response) if tells else (self.__wrapped__, response)

    def _failure(self, error: Exception) -> Failure:
        return (LoggedFailure if self.rules.logs else Failure)(self.__wrapped__, error)

    def _settle(self, signal: Signal, error: Exception, on_error: OnError | None) -> bool:
        """Whether what the receiver raised is dealt with: logged, or told to the send's policy."""
        if self.rules.logs:
            log_failure(self.__wrapped__, error, "send")
        elif on_error is not None:
            on_error(self.__wrapped__, error)
        else:
            return False
        return True


class AsyncRuled(Ruled):
    """A `Ruled` whose receiver is awaited."""

    async def __call__(self, *, signal: Any, sender: Any, **named: Any) -> Any:
        outcome = await self.answer(signal, sender, named, None)
        return None if outcome is None else outcome[1]

    async def answer(
        self, signal: Signal, sender: Any, named: dict[str, Any], on_error: OnError | None
    ) -> Any:
        try:
            call = self._take_call(signal, sender, named)
            if not all(condition(call) for condition in self.rules.conditions):
                return None
            response = await call.arun()
        except Exception as error:
            if not self._settle(signal, error, on_error):
                raise
            return self._failure(error)
        return None if response is SKIPPED else self._outcome(response, on_error)


def prepare(
    receivers: Sequence[Receiver], signal: Signal, sender: Any, named: dict[str, Any]
) -> None:
    """Have all rules look at what is sent, before the first receiver is called."""
    shared: dict[str, Any] = {}
    for receiver in receivers:
        if isinstance(receiver, Ruled) and receiver.rules.preparations:
            receiver.prepare(signal, sender, named, shared)


def call_these(
    receivers: Sequence[Ruled],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    shared: dict[str, Any],
) -> None:
    """Call these receivers, whoever else is connected."""
    for receiver in receivers:
        receiver.prepare(signal, sender, named, shared)
    sync = [receiver for receiver in receivers if not isinstance(receiver, AsyncRuled)]
    asynchronous = [receiver for receiver in receivers if isinstance(receiver, AsyncRuled)]
    if asynchronous:
        calls.refuse_running_loop(signal, asynchronous)
    with hooks.sending(signal, sender, receivers):
        call_each(sync, signal, sender, named, None)
        if asynchronous:
            calls.await_each_from_sync(asynchronous, signal, sender, named, None)


async def await_each(
    receivers: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Responses:
    """Await the receivers, of which some have rules.

    Together, but for those whose work in the sender's transaction may have to be undone: what ran
    beside them would be undone with it. These run after the others, one by one.
    """
    alone = [r for r in receivers if isinstance(r, Ruled) and r.rules.logs]
    if not alone or hooks.in_transaction is None:
        return await calls.await_together(receivers, signal, sender, named, on_error)
    from asgiref.sync import sync_to_async

    if not await sync_to_async(hooks.in_transaction)():
        return await calls.await_together(receivers, signal, sender, named, on_error)
    others = [receiver for receiver in receivers if receiver not in alone]
    responses = await calls.await_together(others, signal, sender, named, on_error)
    for receiver in alone:
        responses += await calls.await_together([receiver], signal, sender, named, on_error)
    order = {id(without_rules(receiver)): i for i, receiver in enumerate(receivers)}
    return sorted(responses, key=lambda pair: order[id(pair[0])])


def call_each(
    receivers: Sequence[Receiver],
    signal: Signal,
    sender: Any,
    named: dict[str, Any],
    on_error: OnError | None,
) -> Responses:
    """Call each of the receivers, of which some have rules."""
    responses: Responses = []
    for receiver in receivers:
        if isinstance(receiver, Ruled):
            outcome = receiver.answer(signal, sender, named, on_error)
            if outcome is not None:
                responses.append(outcome)
        else:
            responses.append(calls.call_one(receiver, signal, sender, named, on_error))
    return responses


def without_rules(receiver: Any) -> Any:
    """The receiver itself, where it stands with its rules."""
    return receiver.__wrapped__ if isinstance(receiver, Ruled) else receiver
