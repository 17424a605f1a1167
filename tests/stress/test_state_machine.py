"""Random operations on a signal, which has to do what the model does."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.stress.model import Connection, Listener, Model
from tests.stress.subjects import SUBJECTS

SENDERS = 4
KINDS = st.sampled_from(
    [
        "function",
        "method",
        "object",
        "partial",
        "async",
        "async method",
        "async object",
        "failing",
        "async failing",
    ]
)
UIDS = st.sampled_from([None, None, None, "", "one", "two", ["unhashable"], ("a", 1), 7])
PRIORITIES = st.sampled_from([0, 0, 0, 1, -1, 0.5, 100, float("inf")])
SENDER = st.one_of(st.none(), st.integers(0, SENDERS - 1))
HOW = st.sampled_from(["send", "send", "send_robust", "asend", "asend_robust"])


class Origin:
    """A sender."""


class FailedOnPurposeError(Exception):
    pass


def outcome(error: BaseException) -> Any:
    if isinstance(error, ExceptionGroup):
        return [str(each) for each in error.exceptions]
    return str(error)


class SignalMachine(RuleBasedStateMachine):
    kind: str

    listeners = Bundle("listeners")

    @initialize()
    def begin(self) -> None:
        self.signal: Any = SUBJECTS[self.kind]()
        self.model = Model()
        self.calls: list[str] = []
        self.senders: list[Origin | None] = [Origin() for _ in range(SENDERS)]
        self.sender_references = [weakref.ref(sender) for sender in self.senders if sender]
        self.references: dict[str, tuple[Listener, weakref.ref[Any]]] = {}

    def make(self, kind: str) -> Listener:
        name = f"{kind} {len(self.references)}"
        record = self.calls.append
        fails = "failing" in kind
        is_async = kind.startswith("async")

        def hear() -> str:
            record(name)
            if fails:
                raise FailedOnPurposeError(name)
            return name

        def function(**named: Any) -> str:
            return hear()

        async def async_function(**named: Any) -> str:
            return hear()

        class Hearing:
            def method(self, **named: Any) -> str:
                return hear()

            async def async_method(self, **named: Any) -> str:
                return hear()

            def __call__(self, **named: Any) -> str:
                return hear()

        class AsyncCallable:
            async def __call__(self, **named: Any) -> str:
                return hear()

        if kind.endswith("method"):
            owner = Hearing()
            reference: weakref.ref[Any] = weakref.ref(owner)
            attribute = "async_method" if is_async else "method"
            get = functools.partial(getattr, owner, attribute)
            return self.keep(Listener(name, is_async, fails, get), reference)
        if kind == "partial":
            receiver: Any = functools.partial(function)
        elif kind.endswith("object"):
            receiver = AsyncCallable() if is_async else Hearing()
        else:
            receiver = async_function if is_async else function
        return self.keep(Listener(name, is_async, fails, lambda: receiver), weakref.ref(receiver))

    def keep(self, listener: Listener, reference: weakref.ref[Any]) -> Listener:
        self.references[listener.name] = (listener, reference)
        return listener

    def origin(self, sender: int | None) -> Any:
        return None if sender is None else self.senders[sender]

    @rule(
        target=listeners,
        kind=KINDS,
        sender=SENDER,
        weak=st.booleans(),
        uid=UIDS,
        priority=PRIORITIES,
    )
    def connect(
        self, kind: str, sender: int | None, weak: bool, uid: Any, priority: float
    ) -> Listener:
        listener = self.make(kind)
        self.connect_again(listener, sender, weak, uid, priority)
        return listener

    @rule(listener=listeners, sender=SENDER, weak=st.booleans(), uid=UIDS, priority=PRIORITIES)
    def connect_another_time(
        self, listener: Listener, sender: int | None, weak: bool, uid: Any, priority: float
    ) -> None:
        self.connect_again(listener, sender, weak, uid, priority)

    def connect_again(
        self, listener: Listener, sender: int | None, weak: bool, uid: Any, priority: float
    ) -> None:
        if sender is not None and self.senders[sender] is None:
            return
        assert listener.get is not None
        self.signal.connect(listener.get(), self.origin(sender), weak, uid, priority=priority)
        self.model.connect(Connection(listener, sender, weak, uid, priority))

    @rule(kind=KINDS, sender=SENDER, uid=UIDS)
    def connect_temporary(self, kind: str, sender: int | None, uid: Any) -> None:
        if sender is not None and self.senders[sender] is None:
            return
        temporary = self.make(kind)
        get, temporary.get, temporary.held = temporary.get, None, False
        assert get is not None
        self.signal.connect(get(), self.origin(sender), dispatch_uid=uid)
        self.model.connect(Connection(temporary, sender, True, uid, 0))

    @rule(listener=listeners, sender=SENDER, uid=UIDS)
    def disconnect(self, listener: Listener, sender: int | None, uid: Any) -> None:
        if sender is not None and self.senders[sender] is None:
            return
        assert listener.get is not None
        gone = self.signal.disconnect(listener.get(), self.origin(sender), uid)
        assert gone is self.model.disconnect(listener, sender, uid)

    @rule(index=st.integers(0, 50))
    def disconnect_one_that_is_there(self, index: int) -> None:
        if self.model.connections:
            c = self.model.connections[index % len(self.model.connections)]
            if c.uid:
                gone = self.signal.disconnect(sender=self.origin(c.sender), dispatch_uid=c.uid)
            elif c.listener.get is not None:
                gone = self.signal.disconnect(c.listener.get(), self.origin(c.sender))
            else:
                return
            assert gone is True
            self.model.disconnect(c.listener, c.sender, c.uid)

    @rule(listener=consumes(listeners))
    def drop(self, listener: Listener) -> None:
        listener.get = None
        listener.held = False
        self.model.bury()

    @rule(index=st.integers(0, SENDERS - 1))
    def drop_sender(self, index: int) -> None:
        self.senders[index] = None
        self.model.sender_died(index)

    @rule(how=HOW, sender=SENDER, times=st.sampled_from([1, 1, 1, 20]))
    def send(self, how: str, sender: int | None, times: int) -> None:
        if sender is not None and self.senders[sender] is None:
            return
        for _ in range(times if how.startswith("send") else 1):
            self.send_once(how, sender)

    def send_once(self, how: str, sender: int | None) -> None:
        call = getattr(self.signal, how)
        sync, asynchronous = self.model.called(sender)
        self.calls.clear()
        try:
            result = call(self.origin(sender), calls=1)
            responses = asyncio.run(result) if how.startswith("a") else result
        except Exception as error:
            raised = outcome(error)
            del error
            assert not how.endswith("robust"), raised
            self.expect_failure(raised, sync, asynchronous)
            return
        every = [listener.name for listener in sync + asynchronous]
        assert self.calls == every
        assert [str(response) for _, response in responses] == every
        for (receiver, response), listener in zip(responses, sync + asynchronous, strict=True):
            assert isinstance(response, FailedOnPurposeError) is listener.fails
            if listener.get is not None:
                assert receiver == listener.get()

    def expect_failure(
        self, raised: Any, sync: list[Listener], asynchronous: list[Listener]
    ) -> None:
        failing = next((n for n, listener in enumerate(sync) if listener.fails), None)
        if failing is not None:
            assert raised == sync[failing].name
            assert self.calls == [listener.name for listener in sync[: failing + 1]]
            return
        failed = [listener.name for listener in asynchronous if listener.fails]
        assert raised == (failed if len(failed) > 1 else failed[0])
        assert self.calls == [listener.name for listener in sync + asynchronous]

    @rule(sender=SENDER)
    def ask_for_listeners(self, sender: int | None) -> None:
        if sender is not None and self.senders[sender] is None:
            return
        assert self.signal.has_listeners(self.origin(sender)) is any(self.model.called(sender))

    @invariant()
    def the_dead_are_gone(self) -> None:
        if not hasattr(self, "references"):
            return
        self.signal.has_listeners()
        deadline = time.monotonic() + 10
        while self.something_lingers():
            assert time.monotonic() < deadline, "something is kept alive"
            # An exception that was returned is in a cycle with its frames; the thread that sync
            # receivers of asend run in lets go of them a little later.
            gc.collect()
            self.signal.has_listeners()
        # A strong receiver that went with its sender may have had a weak connection too.
        self.signal.has_listeners()
        assert len(self.signal.receivers) == len(self.model.connections)

    def something_lingers(self) -> bool:
        """Whether a listener or a sender is alive that nothing should hold."""
        for name, (listener, reference) in list(self.references.items()):
            if reference() is None:
                assert not self.model.is_alive(listener), f"{name} died too early"
                del self.references[name]
            elif not self.model.is_alive(listener):
                return True
        return any(
            sender is None and reference() is not None
            for sender, reference in zip(self.senders, self.sender_references, strict=True)
        )


@pytest.fixture
def collected_on_demand() -> Iterator[None]:
    """The garbage collector looks at what the machine made, no more: that is quick."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("collected_on_demand")
@pytest.mark.parametrize("kind", [kind for kind in SUBJECTS if kind != "own-declared"])
def test_signal_does_what_the_model_does(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    # Records of failures hold exceptions, and they the receivers.
    caplog.set_level(logging.CRITICAL, logger="django.dispatch")
    caplog.set_level(logging.CRITICAL, logger="signalpost.dispatch")
    machine = type("SignalMachine", (SignalMachine,), {"kind": kind})
    run_state_machine_as_test(machine, settings=settings(stateful_step_count=40))
