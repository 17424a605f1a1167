"""Threads that send, connect, disconnect and drop receivers of one signal, all at once.

What a send must do is known in spite of them. Each slot (a place for a receiver that comes and goes)
says in which state it is, with a number that grows with each change. A slot that was connected
before a send began, and still is, unchanged, when it has ended, was to be called exactly once; one
that was disconnected all the time, never; one that was changing, at most once.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.stress.cast import Mortal, Permanent, Slot, Temporary

# Long enough for a loaded machine, short enough for somebody who waits.
PATIENCE = 60.0


class StormError(AssertionError):
    """A send did what it must not do."""


class Storm:
    """One signal, the receivers that stay, those that come and go, and the threads."""

    def __init__(self, signal: Any, *, seed: int = 0, asynchronous: bool = False) -> None:
        self.signal = signal
        self.seed = seed
        self.asynchronous = asynchronous
        self.senders = [type(f"Sender{n}", (), {}) for n in range(3)]
        self.permanents = [
            Permanent(
                f"permanent {n}", self.senders[n - 1] if n else None, asynchronous and n % 2 == 1
            )
            for n in range(3)
        ]
        for permanent in self.permanents:
            permanent.connect(signal)
        self.slots = [
            Slot(f"slot {n}", self.senders[n % 3] if n % 2 else None, asynchronous and n % 4 == 2)
            for n in range(12)
        ]
        self.sent = Counter[str]()
        self.errors: list[BaseException] = []
        self.over = threading.Event()

    # ---------------------------------------------------------------------------- what is checked

    def check(self, sender: Any, send: Callable[..., Any]) -> None:
        """Send once, and compare what was called with what had to be."""
        calls: list[str] = []
        before = [slot.state for slot in self.slots]
        responses = send(sender, calls=calls)
        after = [slot.state for slot in self.slots]
        count = Counter(calls)
        if Counter(response for _, response in responses) != count:
            raise StormError(f"called {calls}, but the responses are {responses}")
        for permanent in self.permanents:
            expected = int(permanent.sender is None or permanent.sender is sender)
            if count.pop(permanent.name, 0) != expected:
                raise StormError(f"{permanent.name}: expected {expected} call, were {calls}")
        for slot, was, is_now in zip(self.slots, before, after, strict=True):
            calls_of_it = count.pop(slot.name, 0)
            reached = slot.sender is None or slot.sender is sender
            if not slot.may_be_called(calls_of_it, was, is_now, reached=reached):
                raise StormError(
                    f"{slot.name}: {calls_of_it} calls from {was} to {is_now}: {calls}"
                )
        doubled = [name for name, calls_of_it in count.items() if calls_of_it > 1]
        if doubled:
            raise StormError(f"{doubled} called more than once: {calls}")

    # ------------------------------------------------------------------------ what threads do

    def send(self, chance: random.Random) -> None:
        self.check(chance.choice(self.senders), self.signal.send)
        self.sent["send"] += 1

    def send_robust(self, chance: random.Random) -> None:
        self.check(chance.choice(self.senders), self.signal.send_robust)
        self.sent["send_robust"] += 1

    def asend(self, chance: random.Random) -> None:
        method = chance.choice([self.signal.asend, self.signal.asend_robust])
        self.check(chance.choice(self.senders), lambda *a, **k: asyncio.run(method(*a, **k)))
        self.sent["asend"] += 1

    def send_from_a_short_lived_sender(self, chance: random.Random) -> None:
        sender = type("ShortLived", (), {})()
        temporary = Temporary("for a short-lived sender")
        self.signal.connect(temporary.hear, sender=sender)
        calls: list[str] = []
        self.signal.send(sender, calls=calls)
        if calls.count(temporary.name) != 1:
            raise StormError(f"connected for its sender, but called were {calls}")
        self.sent["short-lived"] += 1

    def ask(self, chance: random.Random) -> None:
        if not self.signal.has_listeners(chance.choice(self.senders)):
            raise StormError("has_listeners() says no, though a permanent receiver listens")
        if not all(len(entry) in (3, 4) for entry in list(self.signal.receivers)):
            raise StormError("an entry of `receivers` has another shape")
        repr(self.signal)

    def change(self, slots: list[Slot], chance: random.Random) -> None:
        slot = chance.choice(slots)
        if slot.state[1] == "out":
            slot.connect(self.signal, by_uid=chance.random() < 0.3)
        elif slot.is_strong or chance.random() < 0.5:
            slot.disconnect(self.signal)
        else:
            slot.drop(PATIENCE)

    def drop_temporaries(self, chance: random.Random) -> None:
        sender = chance.choice([None, *self.senders])
        for _ in range(3):
            self.signal.connect(Temporary("at once").hear, sender=sender)
            self.signal.connect(Temporary("of a uid").hear, dispatch_uid="temporary")
        kept = Temporary("kept for a while", knotted=chance.random() < 0.3)
        self.signal.connect(kept.hear, sender=sender)
        Mortal(self.signal, chance.random())

    def collect(self, chance: random.Random) -> None:
        gc.set_threshold(chance.choice([5, 50, 700]), 5, 5)
        gc.collect(chance.choice([0, 0, 0, 1, 2]))
        time.sleep(chance.random() * 0.002)

    # ------------------------------------------------------------------------------- the threads

    def jobs(self) -> Iterator[tuple[str, Callable[[random.Random], None]]]:
        half = len(self.slots) // 2
        yield "send 1", self.send
        yield "send 2", self.send
        yield "send_robust", self.send_robust
        if self.asynchronous:
            yield "asend", self.asend
        yield "short-lived senders", self.send_from_a_short_lived_sender
        yield "change 1", lambda chance: self.change(self.slots[:half], chance)
        yield "change 2", lambda chance: self.change(self.slots[half:], chance)
        yield "temporaries", self.drop_temporaries
        yield "ask", self.ask
        yield "collect", self.collect

    def work(self, name: str, job: Callable[[random.Random], None]) -> None:
        chance = random.Random(f"{self.seed} {name}")
        try:
            while not self.over.is_set():
                job(chance)
        except BaseException as error:
            self.errors.append(error)
            self.over.set()

    def rage(self, seconds: float) -> None:
        """Let the threads run for so long; raise the first error of one of them."""
        threads = [
            threading.Thread(target=self.work, args=job, name=job[0], daemon=True)
            for job in self.jobs()
        ]
        with impatient_interpreter():
            for thread in threads:
                thread.start()
            self.over.wait(seconds)
            self.over.set()
            deadline = time.monotonic() + PATIENCE
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))
        stuck = [thread.name for thread in threads if thread.is_alive()]
        if stuck:
            raise StormError(f"deadlock: {stuck} don't end.\n{all_stacks()}")
        if self.errors:
            raise self.errors[0]

    def calm(self) -> None:
        """Disconnect all that come and go, and see that nothing but the permanents is left."""
        for slot in self.slots:
            if slot.state[1] == "in":
                slot.disconnect(self.signal)
        collect_all()
        self.signal.disconnect(dispatch_uid=Mortal.UID)
        for sender in self.senders:
            self.check(sender, self.signal.send)
        # Sweeps the dead away.
        self.signal.has_listeners(self.senders[0])
        left = len(self.signal.receivers) - len(self.permanents)
        if left:
            last = self.signal.receivers[-1][1]
            kept_by = [type(each).__name__ for each in gc.get_referrers(last())]
            raise StormError(
                f"{left} entries are left over, the last kept by {kept_by}: "
                f"{list(self.signal.receivers)}"
            )


@contextmanager
def impatient_interpreter() -> Iterator[None]:
    """Switch threads as often as can be."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*threshold)


def collect_all() -> None:
    """Collect all garbage.

    `gc.collect` returns at once where another thread is collecting: one of asgiref's, which end
    after their work does. It has run if it has found what was made for it to find.
    """
    found = 0
    while not found:
        knot: list[Any] = []
        knot.append(knot)
        del knot
        found = gc.collect()


def all_stacks() -> str:
    """Where each thread stands: what a deadlock is understood by."""
    import traceback

    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"--- {names.get(ident, ident)}\n{''.join(traceback.format_stack(frame)[-12:])}"
        for ident, frame in sys._current_frames().items()
    )


def weakrefs_to(objects: list[Any]) -> list[int]:
    return [weakref.getweakrefcount(each) for each in objects]
