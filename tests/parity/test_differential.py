"""Random operations on the installed Django's dispatcher and on ours, in step.

Kept away from Django's own bugs, which the tests of what we fix look at: senders live in a pool
that is made at once, so that no id is used twice; nothing dies while it is being connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import django
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.parity.dispatchers import EVERY, Dispatcher
from tests.parity.observe import Sender, answers, described, logged
from tests.parity.random_receivers import Receivers

SENDERS = 4
UIDS = st.sampled_from([None, None, None, "", 0, "one", "two", ["unhashable"], ("a", 1)])
PAYLOADS = st.sampled_from(
    [{}, {"a": 1}, {"b": 2, "a": 1}, {"a": 1, "b": 2}, {"not an identifier": 3}]
)
KINDS = (
    "function",
    "method",
    "object",
    "partial",
    "async",
    "failing",
    "disconnecting",
    "connecting",
)


class InStep(RuleBasedStateMachine):
    """Each rule does the same to both signals; outcome and calls have to be equal."""

    subject: Dispatcher

    receivers = Bundle("receivers")

    @initialize()
    def begin(self) -> None:
        self.subject = type(self).subject
        self.make = Receivers()
        self.signals = [self.subject.model().make(), self.subject.make()]
        self.senders: list[Sender | None] = [Sender(f"sender {n}") for n in range(SENDERS)]
        self.paused: list[list[Any] | None] = [None, None]

    def both(self, operation: Callable[[Any], Any]) -> None:
        """Do it to Django's signal, then to ours, and compare."""
        outcomes = []
        for signal in self.signals:
            try:
                with logged() as records:
                    outcome = operation(signal)
            except ValueError as error:
                outcome = repr(error)
            outcomes.append((outcome, list(self.make.log), described(records)))
            self.make.log.clear()
            del records
        if "failing" in str(outcomes) or "async" in str(outcomes):
            gc.collect()
        assert outcomes[1] == outcomes[0]

    def sender(self, index: int | None) -> Any:
        return None if index is None else self.senders[index % SENDERS]

    def refresh(self, signal: Any) -> None:
        with signal.lock:
            signal.sender_receivers_cache.clear()

    @rule(
        target=receivers,
        kind=st.sampled_from(KINDS),
        other=st.one_of(st.none(), receivers),
        sender=st.one_of(st.none(), st.integers(0, SENDERS - 1)),
        weak=st.booleans(),
        uid=UIDS,
    )
    def connect_new(self, kind: str, other: Any, sender: int | None, weak: bool, uid: Any) -> Any:
        receiver = self.make.make(kind, other)
        self.connect(receiver, sender, weak, uid)
        return receiver

    @rule(
        receiver=receivers,
        sender=st.one_of(st.none(), st.integers(0, SENDERS - 1)),
        weak=st.booleans(),
        uid=UIDS,
    )
    def connect_again(self, receiver: Any, sender: int | None, weak: bool, uid: Any) -> None:
        self.connect(receiver, sender, weak, uid)

    def connect(self, receiver: Any, sender: int | None, weak: bool, uid: Any) -> None:
        if sender is not None and self.sender(sender) is None:
            return  # that sender is dead
        keywords = {"sender": self.sender(sender), "weak": weak, "dispatch_uid": uid}
        self.both(lambda signal: signal.connect(receiver, **keywords))

    @rule(receiver=receivers, sender=st.one_of(st.none(), st.integers(0, SENDERS - 1)), uid=UIDS)
    def disconnect(self, receiver: Any, sender: int | None, uid: Any) -> None:
        keywords = {"sender": self.sender(sender), "dispatch_uid": uid}
        self.both(lambda signal: signal.disconnect(receiver, **keywords))

    # What dies while its entry is put aside leaves a dead entry that nobody knows of: its id, used
    # again, would block a receiver in Django.
    @precondition(lambda self: self.paused == [None, None])
    @rule(receiver=consumes(receivers))
    def drop_receiver(self, receiver: Any) -> None:
        """It dies, unless it is connected strongly or another one refers to it."""

    # Before 6.0 Django keeps the entries of a dead sender, and a list changed at an index would lose
    # another one than ours.
    @precondition(lambda self: django.VERSION >= (6, 0) and self.paused == [None, None])
    @rule(index=st.integers(0, SENDERS - 1))
    def drop_sender(self, index: int) -> None:
        self.senders[index] = None

    @rule(
        index=st.one_of(st.none(), st.integers(0, SENDERS - 1)),
        payload=PAYLOADS,
        times=st.sampled_from([1, 1, 1, 30]),
    )
    def send(self, index: int | None, payload: dict[str, Any], times: int) -> None:
        sender = self.sender(index)
        if sender is None and self.subject.caching:
            return  # Django can't

        def send(signal: Any) -> Any:
            for _ in range(times - 1):
                with contextlib.suppress(ValueError):
                    signal.send(sender, **payload)
            return answers(signal.send(sender, **payload))

        self.both(send)

    @rule(index=st.integers(0, SENDERS - 1), payload=PAYLOADS)
    def send_robust(self, index: int, payload: dict[str, Any]) -> None:
        sender = self.sender(index)
        if sender is not None:
            self.both(lambda signal: answers(signal.send_robust(sender, **payload)))

    @rule(index=st.integers(0, SENDERS - 1), payload=PAYLOADS)
    def asend(self, index: int, payload: dict[str, Any]) -> None:
        sender = self.sender(index)
        if sender is None:
            return

        def asend(signal: Any) -> Any:
            responses = asyncio.run(signal.asend_robust(sender, **payload))
            # Before 6.1 the two groups overlap: the order of the calls isn't Django's to keep.
            self.make.log.sort(key=repr)
            return answers(responses)

        for signal in self.signals:
            signal._log_robust_failure = lambda receiver, err: None  # the text is one we fix
        self.both(asend)
        for signal in self.signals:
            del signal._log_robust_failure

    @rule(index=st.integers(0, SENDERS - 1))
    def ask_for_listeners(self, index: int) -> None:
        sender = self.sender(index)
        if sender is not None:
            self.both(lambda signal: signal.has_listeners(sender))

    @rule()
    def pause(self) -> None:
        for number, signal in enumerate(self.signals):
            if self.paused[number] is None:
                self.paused[number] = signal.receivers
                signal.receivers = []
                self.refresh(signal)

    @rule()
    def resume(self) -> None:
        for number, signal in enumerate(self.signals):
            paused = self.paused[number]
            if paused is not None:
                signal.receivers = paused + signal.receivers
                self.refresh(signal)
                self.paused[number] = None

    @rule(
        change=st.sampled_from(["pop", "reverse", "double", "move", "clear", "rotate"]),
        at=st.integers(0, 10),
        clear=st.booleans(),
    )
    def change_in_place(self, change: str, at: int, clear: bool) -> None:
        for signal in self.signals:
            # The dead go at times that differ: without them both lists are equally long.
            signal.receivers[:] = self.living(signal)
            entries = signal.receivers
            if entries:
                at %= len(entries)
                if change == "pop":
                    entries.pop(at)
                elif change == "reverse":
                    entries.reverse()
                elif change == "double":
                    entries.append(entries[at])
                elif change == "move":
                    entries.insert(0, entries.pop(at))
                elif change == "rotate":
                    entries[:] = entries[at:] + entries[:at]
                elif at == 0:
                    entries.clear()
            if signal.use_caching or clear:
                self.refresh(signal)

    @invariant()
    def same_entries(self) -> None:
        if hasattr(self, "signals"):
            theirs, ours = ([entry[0] for entry in self.living(s)] for s in self.signals)
            assert ours == theirs

    def living(self, signal: Any) -> list[Any]:
        """The entries that aren't dead. When those are removed may differ."""
        senders = {id(None), *(id(sender) for sender in self.senders)}
        return [
            entry
            for entry in signal.receivers
            if entry[0][1] in senders
            and not (isinstance(entry[1], weakref.ReferenceType) and entry[1]() is None)
        ]


@pytest.fixture
def collected_on_demand() -> Iterator[None]:
    """The garbage collector runs only where it is asked to.

    An exception that a robust send returns is in a cycle with its frames, and so may be a receiver.
    Both sides have to see it die at the same time.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("collected_on_demand")
@pytest.mark.parametrize("subject", EVERY, ids=str)
def test_same_outcome_of_random_operations(subject: Dispatcher) -> None:
    machine = type("InStep", (InStep,), {"subject": subject})
    run_state_machine_as_test(machine, settings=settings(stateful_step_count=40))
