"""One operation at each line of another: by a second thread, and by the garbage collector.

A storm finds what goes wrong often; this finds what can go wrong at all. The outer operation is
traced. At one of its lines after the other, in as many runs, the inner operation takes place: on
another thread, while the lock is free (else it would only wait), or on the same thread, lock or no
lock, as a finalizer does that the garbage collector runs. In the end both must have had their
effect, and whoever was connected all the time was called once by each send.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.stress.subjects import SUBJECTS

# A longer stress run stops at each bytecode instruction, a short one at lines.
THOROUGH = float(os.environ.get("STRESS_SECONDS", "1")) >= 10
STEP = "opcode" if THOROUGH else "line"


# Every line of ours is a place to interrupt, on each Python the same: half a minute is enough once.
pytestmark = pytest.mark.once


class Origin:
    """A sender."""


class World:
    """A signal with receivers that are connected, and some that aren't yet."""

    def __init__(self, kind: str, *, warm: bool) -> None:
        self.signal = SUBJECTS[kind]()
        self.sender = Origin()
        self.kept: dict[str, Any] = {}
        self.faults: list[str] = []
        self.postponed: list[Callable[[], None]] = []
        # What has to be true in the end, by the receiver's name: called once, or not at all.
        self.expected = {"always": 1, "for the sender": 1, "victim": 1, "mortal": 1}
        self.connect("always")
        self.connect("victim")
        self.connect("for the sender", sender=self.sender)
        self.connect("mortal", dispatch_uid="mortal")
        self.mortal = weakref.ref(self.kept["mortal"])
        for _ in range(7 if warm else 0):
            self.send()

    def connect(self, name: str, **how: Any) -> None:
        def hear(calls: list[str], **named: Any) -> str:
            calls.append(name)
            return name

        self.kept[name] = hear
        self.signal.connect(hear, **how)

    def send(self) -> Counter[str]:
        calls: list[str] = []
        responses = self.signal.send(self.sender, calls=calls)
        count = Counter(calls)
        if Counter(response for _, response in responses) != count:
            self.faults.append(f"called {calls}, but the responses are {responses}")
        if count["always"] != 1 or count["for the sender"] != 1 or max(count.values()) > 1:
            self.faults.append(f"a send called {calls}")
        return count

    def check(self) -> None:
        for operation in self.postponed:
            operation()
        for _ in range(2):
            count = self.send()
            wrong = {
                name: count[name] for name, times in self.expected.items() if count[name] != times
            }
            assert not wrong, f"called {wrong} instead of {self.expected}"
        self.signal.has_listeners()
        entries = [self.name_of(entry) for entry in self.signal.receivers]
        assert sorted(entries) == sorted(n for n, times in self.expected.items() if times)
        assert not self.faults, self.faults
        assert self.signal.lock.acquire(blocking=False)
        self.signal.lock.release()

    def name_of(self, entry: Any) -> str | None:
        receiver = entry[1]()
        return next((name for name, kept in self.kept.items() if kept is receiver), None)


# ------------------------------------------------------------------------------- the operations


def send(world: World, who: str) -> None:
    world.send()


def connect(world: World, who: str) -> None:
    world.connect(f"connected by {who}")
    world.expected[f"connected by {who}"] = 1


def connect_for_the_sender(world: World, who: str) -> None:
    world.connect(f"connected by {who}", sender=world.sender)
    world.expected[f"connected by {who}"] = 1


def disconnect(world: World, who: str) -> None:
    world.signal.disconnect(world.kept["victim"])
    world.expected["victim"] = 0


def drop(world: World, who: str) -> None:
    world.expected["mortal"] = 0
    world.kept.pop("mortal", None)


def drop_and_replace(world: World, who: str) -> None:
    """The living must get the uid of the dead, unless a send under way keeps that alive."""
    drop(world, who)
    if "heir" not in world.kept:
        dead = world.mortal() is None
        world.connect("heir", dispatch_uid="mortal")
        world.expected["heir"] = int(dead)


def drop_and_ask(world: World, who: str) -> None:
    """Sweeps the dead away."""
    drop(world, who)
    world.signal.has_listeners(world.sender)


def drop_and_send(world: World, who: str) -> None:
    drop(world, who)
    world.send()


def drop_a_sender(world: World, who: str) -> None:
    sender = Origin()
    world.connect(f"for the sender of {who}", sender=sender)
    world.signal.send(sender, calls=[])
    del sender


def list_receivers(world: World, who: str) -> None:
    names = [world.name_of(entry) for entry in list(world.signal.receivers)]
    if "always" not in names:
        world.faults.append(f"the list of receivers has {names}")
    if not world.signal.has_listeners(world.sender):
        world.faults.append("has_listeners() says no")


OPERATIONS: list[Callable[[World, str], None]] = [
    send,
    connect,
    connect_for_the_sender,
    disconnect,
    drop,
    drop_and_replace,
    drop_and_ask,
    drop_and_send,
    drop_a_sender,
    list_receivers,
]

# A receiver's death is noted in C: there are no lines to stop at.
TRACED = [operation for operation in OPERATIONS if operation is not drop]


class Injection:
    """Runs `inner` once, at the step number `turn` of ours that the traced code comes to."""

    def __init__(self, turn: int, inner: Callable[[], None]) -> None:
        self.turn = turn
        self.inner = inner
        self.places: list[str] = []

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if "signalpost" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = THOROUGH
        if event == STEP:
            self.places.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            if len(self.places) - 1 == self.turn:
                sys.settrace(None)
                self.inner()
                sys.settrace(self.trace)
        return self.trace

    def run(self, outer: Callable[[], None]) -> None:
        before = sys.gettrace()
        sys.settrace(self.trace)
        try:
            outer()
        finally:
            sys.settrace(before)


def on_another_thread(world: World, operation: Callable[[], None]) -> None:
    """Let another thread do it to its end, unless it would wait for the lock that is held here."""
    free = []

    def run() -> None:
        if world.signal.lock.acquire(blocking=False):
            world.signal.lock.release()
            free.append(True)
            operation()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(10)
    if thread.is_alive():
        world.faults.append("deadlock")
    if not free:
        world.postponed.append(operation)


def turns(kind: str, outer: Any, *, warm: bool) -> list[int]:
    """The steps at which to interfere: each, or in a short run the first on each line."""
    injection = Injection(-1, lambda: None)
    world = World(kind, warm=warm)
    injection.run(lambda: outer(world, "outer"))
    if THOROUGH:
        return list(range(len(injection.places)))
    return sorted(injection.places.index(place) for place in set(injection.places))


def interleave(kind: str, outer: Any, inner: Any, *, warm: bool, other_thread: bool) -> list[str]:
    """What went wrong with the inner operation at one step or another of the outer one."""
    failures: list[str] = []
    for turn in turns(kind, outer, warm=warm):
        world = World(kind, warm=warm)

        def operate() -> None:
            inner(world, "inner")  # noqa: B023

        def inject() -> None:
            if other_thread:
                on_another_thread(world, operate)  # noqa: B023
            else:
                operate()

        injection = Injection(turn, inject)
        try:
            injection.run(lambda: outer(world, "outer"))  # noqa: B023
            world.check()
        except Exception as error:
            where = injection.places[turn]
            failures.append(f"{inner.__name__} in {outer.__name__} at {where}: {error!r}")
    return failures


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("other_thread", [True, False], ids=["thread", "finalizer"])
@pytest.mark.parametrize("outer", TRACED, ids=lambda operation: operation.__name__)
@pytest.mark.parametrize("kind", ["own", "adopted-caching"])
def test_operations_interleave(kind: str, outer: Any, other_thread: bool, warm: bool) -> None:
    assert len(turns(kind, outer, warm=warm)) > 5
    failures: list[str] = []
    for inner in OPERATIONS:
        failures += interleave(kind, outer, inner, warm=warm, other_thread=other_thread)
    assert not failures, "\n" + "\n".join(failures)
