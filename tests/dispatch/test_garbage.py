"""The garbage collector runs anywhere, and runs users' code: nothing hangs, nothing is lost."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from signalpost import Signal
from tests.dispatch.heat import HOT, heat


@contextlib.contextmanager
def failing_destructors_fail() -> Iterator[None]:
    """What Python otherwise only prints."""
    failures: list[BaseException] = []
    with mock.patch("sys.unraisablehook", lambda failure: failures.append(failure.exc_value)):
        yield
    if failures:
        raise failures[0]


@pytest.fixture
def restless_collector() -> Iterator[None]:
    """A garbage collector that runs all the time."""
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)
    gc.collect()


class Connecting:
    """In a cycle; connects and sends when it is collected, wherever that may be."""

    kept: list[Any] = []  # noqa: RUF012 - shared on purpose

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.itself = self

    def hear(self, **named: Any) -> None: ...

    def __del__(self) -> None:
        def late(**named: Any) -> str:
            return "late"

        self.kept.append(late)
        self.signal.connect(late)
        self.signal.send(None, a=1)
        self.signal.disconnect(self.hear)


def hang_fails(work: Any) -> None:
    """Run the work in a thread and fail, rather than wait for ever, if it hangs."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "it hangs"
    assert failures == []


@pytest.mark.usefixtures("restless_collector")
def test_destructor_that_connects_neither_hangs_nor_loses_anything() -> None:
    signal = Signal()
    Connecting.kept.clear()
    kept: list[Any] = []

    def work() -> None:
        for n in range(100):

            def receiver(n: int = n, **named: Any) -> int:
                return n

            kept.append(receiver)
            signal.connect(Connecting(signal).hear)
            signal.connect(receiver)
            if n % 10 == 0:
                signal.send(None, a=1)
                len(signal.receivers)
        gc.collect()

    hang_fails(work)
    called = [receiver for receiver, _ in signal.send(None, a=1)]
    assert [receiver for receiver in called if receiver in kept] == kept
    assert len(Connecting.kept) == 100
    assert sorted(map(id, called)) == sorted(map(id, [*kept, *Connecting.kept]))


@pytest.mark.usefixtures("restless_collector")
def test_destructor_of_a_sender_that_connects_does_no_harm() -> None:
    signal = Signal()
    heard: list[str] = []

    def receiver(sender: Any, **named: Any) -> None:
        heard.append(type(sender).__name__)

    class Sender:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            signal.connect(receiver, sender=Sender)
            signal.disconnect(receiver, sender=self)

    def work() -> None:
        for _ in range(100):
            sender = Sender()
            signal.connect(receiver, sender=sender)
            signal.send(sender)
        del sender
        gc.collect()

    hang_fails(work)
    assert heard == ["Sender"] * 100
    heard.clear()
    signal.send(Sender)
    assert heard == ["type"]
    assert len(signal.receivers) == 1


def test_destructor_may_use_a_signal_that_goes_with_it(sends_before: int) -> None:
    # They are in one cycle, as an object is with the signal that it owns and listens to. Their weak
    # references are gone before their destructors run.
    done: list[Any] = []

    class Owner:
        def __init__(self) -> None:
            self.changed = Signal()
            self.itself = self
            self.changed.connect(self.hear)

        def hear(self, **named: Any) -> None: ...

        def __del__(self) -> None:
            done.append(self.changed.send(self, a=1))
            done.append(self.changed.send_robust(self, a=1))
            self.changed.connect(lambda **named: None, weak=False)
            done.append(self.changed.has_listeners())
            done.append(len(self.changed.receivers))
            self.changed.receivers = []
            done.append(self.changed.disconnect(self.hear))

    owner = Owner()
    heat(owner.changed, sends_before, owner, a=1)
    with failing_destructors_fail():
        del owner
        gc.collect()

    assert done == [[], [], True, 1, False]


def test_signal_and_what_it_holds_go_at_once() -> None:
    class Held:
        def __call__(self, **named: Any) -> None: ...

    gc.disable()
    try:
        held = Held()
        signal = Signal()
        signal.connect(held, weak=False)
        heat(signal, HOT, a=1)
        references = weakref.ref(signal), weakref.ref(held)
        del signal, held
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()


def test_disconnected_receiver_is_let_go_at_once(sends_before: int) -> None:
    class Held:
        def __call__(self, **named: Any) -> None: ...

    signal = Signal()
    held = Held()
    reference = weakref.ref(held)
    signal.connect(held, weak=False)
    heat(signal, sends_before, a=1)
    signal.disconnect(held)
    del held

    assert reference() is None


def test_hot_code_keeps_no_receiver_alive() -> None:
    class Host:
        def method(self, **named: Any) -> None: ...

    signal = Signal()
    host = Host()
    reference = weakref.ref(host)
    signal.connect(host.method)
    heat(signal, HOT, a=1)
    del host

    assert reference() is None
    assert signal.send(None, a=1) == []


def test_finalizer_that_connects_while_the_dead_are_swept() -> None:
    """The collector may run wherever something is allocated, also in a loop of C."""
    signal = Signal()
    kept = [lambda n=n, **named: n for n in range(300)]
    for receiver in kept:
        signal.connect(receiver)
    late: list[Any] = []

    class Connects:
        """Garbage that leaves garbage: something to collect at each allocation for a while."""

        def __init__(self, left: int) -> None:
            self.itself, self.left = self, left

        def __del__(self) -> None:
            receiver = lambda **named: "late"  # noqa: E731
            late.append(receiver)
            signal.connect(receiver)
            if self.left:
                Connects(self.left - 1)

    # Pairs that were thrown away are used again, without asking the collector: hold them all.
    held = [(n, n) for n in range(5000)]
    thresholds = gc.get_threshold()
    for _ in range(3):
        del kept[0]
        with failing_destructors_fail():
            Connects(100)
            gc.set_threshold(1)
            try:
                signal.has_listeners()
            finally:
                gc.set_threshold(*thresholds)
            while any(type(each) is Connects for each in gc.get_objects()):
                gc.collect()
    assert len(signal.send(None)) == len(kept) + len(late)
    assert held
