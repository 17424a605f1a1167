"""What an observer is told of sends and receivers."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from typing import Any

import pytest
from asgiref.sync import sync_to_async

import signalpost
from signalpost.dispatch import hooks
from signalpost.tracing import Event, LogObserver, Recorder, current, observe, tree
from tests.stress.storm import all_stacks, impatient_interpreter


@pytest.fixture
def outer() -> signalpost.Signal:
    return signalpost.Signal(name="outer")


@pytest.fixture
def inner() -> signalpost.Signal:
    return signalpost.Signal(name="inner")


def shape(events: list[Event]) -> list[str]:
    """Each event with what it happened in."""

    def short(event: Event) -> str:
        return event.name.rpartition(".")[2]

    return [
        f"{short(event)} in {short(event.parent) if event.parent else None}" for event in events
    ]


def test_sends_and_receivers_with_what_they_happened_in(outer: Any, inner: Any) -> None:
    def first(**kwargs: Any) -> None:
        inner.send("nested", n=1)

    def second(**kwargs: Any) -> str:
        return "answer"

    outer.connect(first)
    outer.connect(second)
    inner.connect(second, weak=False)

    with observe(Recorder()) as seen:
        responses = outer.send("me", n=0)
    outer.send("me", n=0)  # nobody observes any more

    assert responses == [(first, None), (second, "answer")]
    assert shape(seen.events) == [
        "outer in None",
        "first in outer",
        "inner in first",
        "second in inner",
        "second in outer",
    ]
    assert {event.outcome for event in seen.events} == {"returned"}
    whole, run, *_ = seen.events
    assert (whole.receiver, whole.sender, whole.signal) == (None, "me", outer)
    assert run.receiver is first
    assert whole.duration is not None and run.duration is not None
    assert 0 <= run.duration <= whole.duration


@pytest.mark.parametrize(
    "send", ["send", "send_robust", "send_all", "asend", "asend_robust", "asend_all"]
)
@pytest.mark.parametrize("options", [{}, {"on_error": "raise", "reentrant": False}])
def test_each_way_of_sending(outer: Any, send: str, options: Any) -> None:
    def sync(**kwargs: Any) -> None: ...

    async def later(**kwargs: Any) -> None:
        await asyncio.sleep(0)

    async def later_too(**kwargs: Any) -> None:
        await asyncio.sleep(0)

    for receiver in (sync, later, later_too):
        outer.connect(receiver, **options)

    with observe(Recorder()) as seen:
        answer = getattr(outer, send)(None)
        responses = asyncio.run(answer) if asyncio.iscoroutine(answer) else answer

    assert [receiver for receiver, _ in responses] == [sync, later, later_too]
    assert sorted(shape(seen.events)) == [
        "later in outer",
        "later_too in outer",
        "outer in None",
        "sync in outer",
    ]
    assert all(event.duration is not None for event in seen.events)


def test_what_is_awaited_together_has_its_own_events(outer: Any, inner: Any) -> None:
    def make(name: str, seconds: float) -> Any:
        async def receiver(**kwargs: Any) -> None:
            await asyncio.sleep(seconds)
            await inner.asend(name)

        receiver.__qualname__ = name
        return receiver

    kept = [make("slow", 0.02), make("quick", 0.01), make("quicker", 0)]
    for receiver in kept:
        outer.connect(receiver)

    def heard(**kwargs: Any) -> None: ...

    inner.connect(heard)
    with observe(Recorder()) as seen:
        asyncio.run(outer.asend(None))

    sends = {
        event.sender: event.parent
        for event in seen.events
        if event.signal is inner and not event.receiver
    }
    assert {sender: event.name.rpartition(".")[2] for sender, event in sends.items() if event} == {
        "slow": "slow",
        "quick": "quick",
        "quicker": "quicker",
    }


@pytest.mark.parametrize("send", ["send", "send_robust"])
def test_failures(outer: Any, send: str) -> None:
    def fails(**kwargs: Any) -> None:
        raise ValueError("no")

    outer.connect(fails)
    with observe(Recorder()) as seen:
        try:
            getattr(outer, send)(None)
        except ValueError:
            assert send == "send"

    whole, run = seen.events
    assert run.outcome == "raised"
    assert isinstance(run.error, ValueError)
    assert whole.outcome == ("raised" if send == "send" else "returned")
    assert current() is None


def test_signals_that_nobody_hears_are_not_told_of(outer: Any, inner: Any) -> None:
    with observe(Recorder()) as seen:
        outer.send(None)
        assert not outer.has_listeners()
        assert outer._run is None  # as cheap as ever

    assert seen.events == []


def test_what_is_connected_while_somebody_observes(outer: Any) -> None:
    def late(**kwargs: Any) -> None: ...

    with observe(Recorder()) as seen:
        outer.connect(late)
        outer.send(None)

    assert shape(seen.events) == ["outer in None", "late in outer"]


def test_observers_that_fail_are_logged_and_the_send_goes_on(
    outer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        def started(self, event: Event) -> None:
            raise ValueError("started")

        def finished(self, event: Event) -> None:
            raise ValueError("finished")

    def receiver(**kwargs: Any) -> str:
        return "answer"

    outer.connect(receiver)
    with observe(Failing()), observe(Recorder()) as seen:
        assert outer.send(None) == [(receiver, "answer")]

    assert len(seen.events) == 2
    assert [record.name for record in caplog.records] == ["signalpost.tracing"] * 4
    assert "test_events" in caplog.records[0].getMessage()


def test_an_observer_without_a_method_harms_nobody(
    outer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def receiver(**kwargs: Any) -> str:
        return "answer"

    outer.connect(receiver)
    with observe(object()):  # type: ignore[arg-type]
        assert outer.send(None) == [(receiver, "answer")]
    assert current() is None
    assert len(caplog.records) == 4


def test_ending_twice_is_ending_once(outer: Any) -> None:
    def receiver(**kwargs: Any) -> None: ...

    outer.connect(receiver)
    block = observe(Recorder())
    block.begin()
    block.end()
    block.end()
    with observe(Recorder()) as seen:
        outer.send(None)
    assert len(seen.events) == 2
    assert hooks.observe is None


def test_connects_beside_observers_that_come_and_go() -> None:
    over = threading.Event()

    def work(job: Any) -> None:
        while not over.is_set():
            job()

    def connect() -> None:
        signalpost.Signal().connect(receiver)

    def receiver(**kwargs: Any) -> None: ...

    def look() -> None:
        with observe(Recorder()), signalpost.mute(receiver):
            pass

    threads = [threading.Thread(target=work, args=(job,), daemon=True) for job in (connect, look)]
    with impatient_interpreter():
        for thread in threads:
            thread.start()
        over.wait(1)
        over.set()
        for thread in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread in threads), all_stacks()
    assert hooks.observe is None


def test_threads_of_receivers_that_are_awaited_together_know_theirs(outer: Any, inner: Any) -> None:
    def make(name: str, seconds: float) -> Any:
        async def receiver(**kwargs: Any) -> None:
            await asyncio.sleep(seconds)
            await sync_to_async(inner.send)(name)
            await asyncio.create_task(inner.asend(f"{name} in a task"))

        receiver.__qualname__ = name
        return receiver

    def heard(**kwargs: Any) -> None: ...

    kept = [make("slow", 0.02), make("quick", 0.01), make("quicker", 0)]
    for receiver in kept:
        outer.connect(receiver)
    inner.connect(heard)
    with observe(Recorder()) as seen:
        asyncio.run(outer.asend(None))

    sends = [event for event in seen.events if event.signal is inner and event.receiver is None]
    assert len(sends) == 6
    for event in sends:
        assert event.parent is not None
        assert event.parent.name.rpartition(".")[2] == event.sender.partition(" ")[0]
    assert current() is None


def test_send_all_that_reaches_nobody_or_fails(outer: Any) -> None:
    def fails(**kwargs: Any) -> None:
        raise ValueError("no")

    with observe(Recorder()) as seen:
        outer.send_all(None)
        assert seen.events == []
        outer.connect(fails)
        with pytest.raises(ExceptionGroup):
            outer.send_all(None)
    assert [event.outcome for event in seen.events] == ["raised", "raised"]


def test_here_is_this_thread_and_task_alone(outer: Any) -> None:
    def receiver(**kwargs: Any) -> None: ...

    outer.connect(receiver)
    with observe(Recorder(), here=True) as here, observe(Recorder()) as everywhere:
        thread = threading.Thread(target=outer.send, args=("thread",))
        thread.start()
        thread.join()
        outer.send("here")

    assert [event.sender for event in here.events] == ["here"] * 2
    assert [event.sender for event in everywhere.events] == ["thread"] * 2 + ["here"] * 2


def test_observers_end_in_any_order(outer: Any) -> None:
    def receiver(**kwargs: Any) -> None: ...

    outer.connect(receiver)
    first, second = observe(Recorder()), observe(Recorder())
    one, two = first.begin(), second.begin()
    outer.send(1)
    first.end()
    outer.send(2)
    second.end()
    outer.send(3)

    assert [event.sender for event in one.events] == [1, 1]
    assert [event.sender for event in two.events] == [1, 1, 2, 2]
    assert hooks.observe is None
    assert not outer._looped


def test_a_signal_may_go_while_it_is_observed() -> None:
    signal = signalpost.Signal()
    signal.connect(lambda **kwargs: None, weak=False)
    with observe(Recorder()):
        reference = weakref.ref(signal)
        del signal
        gc.collect()
        assert reference() is None


def test_recorder_has_a_limit(outer: Any) -> None:
    def receiver(**kwargs: Any) -> None: ...

    outer.connect(receiver)
    with observe(Recorder(limit=3)) as seen:
        outer.send(None)
        outer.send(None)

    assert (len(seen.events), seen.missed) == (3, 1)


def test_tree(outer: Any, inner: Any) -> None:
    def nests(**kwargs: Any) -> None:
        inner.send(str)

    def fails(**kwargs: Any) -> None:
        raise ValueError("no")

    outer.connect(nests)
    inner.connect(fails, on_error="log")
    with observe(Recorder()) as seen:
        outer.send(None)

    lines = [line.split("  ") for line in tree(seen.events).splitlines()]
    assert tree(seen.events).splitlines()[0].startswith("outer from None  ")
    here = "tests.tracing.test_events.test_tree.<locals>"
    names = [next(part for part in line if part) for line in lines]
    assert names == ["outer from None", f"{here}.nests", "inner from builtins.str", f"{here}.fails"]
    assert lines[3][-1] == "raised: ValueError('no')"
    indents = [len(line) - len(line.lstrip()) for line in tree(seen.events).splitlines()]
    assert indents == [0, 2, 4, 6]


def test_log(outer: Any, caplog: pytest.LogCaptureFixture) -> None:
    def receiver(**kwargs: Any) -> None: ...

    def fails(**kwargs: Any) -> None:
        raise ValueError("no")

    outer.connect(receiver)
    outer.connect(fails)
    with observe(LogObserver()), caplog.at_level(logging.DEBUG, "signalpost.tracing"):
        outer.send_robust(str)

    records = [record for record in caplog.records if record.name == "signalpost.tracing"]
    assert [record.levelname for record in records] == ["DEBUG", "WARNING"]
    assert "receiver of outer from builtins.str: returned in " in records[0].getMessage()
    assert records[1].event.error.args == ("no",)  # type: ignore[attr-defined]
