"""The receivers of a storm: those that stay, those that come and go, those that die."""

from __future__ import annotations

import time
import weakref
from typing import Any, ClassVar


def _receiver(name: str, *, is_async: bool) -> Any:
    def hear(calls: list[str], **named: Any) -> str:
        calls.append(name)
        return name

    async def hear_later(calls: list[str], **named: Any) -> str:
        calls.append(name)
        return name

    return hear_later if is_async else hear


class Permanent:
    """A receiver that is connected all the time, to one sender or to any."""

    def __init__(self, name: str, sender: Any, is_async: bool) -> None:
        self.name = name
        self.sender = sender
        self.receiver = _receiver(name, is_async=is_async)

    def connect(self, signal: Any) -> None:
        signal.connect(self.receiver, sender=self.sender)

    def disconnect(self, signal: Any) -> None:
        if not signal.disconnect(self.receiver, sender=self.sender):
            raise AssertionError(f"{self.name} was connected all the time, but isn't")


class Temporary:
    """Its method is a receiver that dies with it: at once, or when its knot is collected."""

    alive: ClassVar[weakref.WeakSet[Temporary]] = weakref.WeakSet()

    def __init__(self, name: str, *, knotted: bool = False) -> None:
        self.name = name
        self.me = self if knotted else None
        Temporary.alive.add(self)

    def hear(self, calls: list[str], **named: Any) -> str:
        # A knotted one lives until it's collected, so its name may be called more than once.
        name = f"{self.name} {id(self)}"
        if self.name == "for a short-lived sender":
            name = self.name
        calls.append(name)
        return name


class Mortal(Temporary):
    """Dies in the garbage collector, anywhere, and connects or disconnects while it does."""

    UID = "heir of a mortal"

    def __init__(self, signal: Any, chance: float) -> None:
        super().__init__("mortal", knotted=True)
        self.signal = signal
        self.chance = chance
        signal.connect(self.hear)

    def __del__(self) -> None:
        if self.chance < 0.4:
            self.signal.connect(_heir, dispatch_uid=self.UID)
        elif self.chance < 0.8:
            self.signal.disconnect(dispatch_uid=self.UID)
        else:
            self.signal.has_listeners(Temporary)


def _heir(calls: list[str], **named: Any) -> str:
    calls.append("heir")
    return "heir"


class Slot:
    """A place for a receiver that comes and goes. One thread changes it, all look at its state."""

    def __init__(self, name: str, sender: Any, is_async: bool) -> None:
        self.name = name
        self.sender = sender
        self.is_async = is_async
        # The number of changes so far, and "in", "out" or "changing". Replaced in one step.
        self.state = (0, "out")
        self.receiver: Any = None
        self.uid: str | None = None
        self.is_strong = False

    def _enter(self, state: str) -> None:
        self.state = (self.state[0] + 1, state)

    def connect(self, signal: Any, *, by_uid: bool) -> None:
        self._enter("changing")
        self.receiver = _receiver(self.name, is_async=self.is_async)
        self.uid = self.name if by_uid else None
        self.is_strong = self.state[0] % 3 == 0
        signal.connect(self.receiver, self.sender, not self.is_strong, self.uid)
        self._enter("in")

    def disconnect(self, signal: Any) -> None:
        self._enter("changing")
        if not signal.disconnect(self.receiver, self.sender, self.uid):
            raise AssertionError(f"{self.name} was connected, but can't be disconnected")
        self.receiver = None
        self._enter("out")

    def drop(self, patience: float) -> None:
        """Let the receiver die. Whoever is sending may hold it until that send has ended."""
        self._enter("changing")
        reference = weakref.ref(self.receiver)
        self.receiver = None
        deadline = time.monotonic() + patience
        while reference() is not None:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} was dropped, but doesn't die")
            time.sleep(0)
        self._enter("out")

    @staticmethod
    def may_be_called(
        calls: int, before: tuple[int, str], after: tuple[int, str], *, reached: bool
    ) -> bool:
        """Whether so many calls in one send are right, from that state to that."""
        if not reached:
            return calls == 0
        if before != after or before[1] == "changing":
            return calls <= 1
        return calls == (before[1] == "in")
