"""Threads and the garbage collector against one signal: nothing lost, nothing doubled, no leak.

A second for each kind of signal; STRESS_SECONDS=60 makes it a minute.
"""

from __future__ import annotations

import gc
import os
import types
import weakref
from collections import Counter
from typing import Any

import pytest

import signalpost
from tests.stress.cast import Temporary
from tests.stress.storm import Storm, StormError, collect_all, weakrefs_to
from tests.stress.subjects import Make, every_subject

SECONDS = float(os.environ.get("STRESS_SECONDS", "1"))


def ours() -> Counter[str]:
    """How many objects of each of our types are alive."""
    collect_all()
    return Counter(
        type(each).__qualname__
        for each in gc.get_objects()
        if str(type(each).__module__).startswith("signalpost")
    )


def weight(signal: Any) -> int:
    """How many objects the signal reaches, through containers, closures and its own parts."""
    collect_all()
    seen: dict[int, Any] = {}
    pending = list(vars(signal).values())
    while pending:
        for each in gc.get_referents(pending.pop()):
            if isinstance(each, (type, types.ModuleType, types.CodeType)) or id(each) in seen:
                continue
            if isinstance(each, dict) and "__builtins__" in each:
                continue  # a module's globals
            seen[id(each)] = each
            pending.append(each)
    return len(seen)


@every_subject
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_storm(make: Make, asynchronous: bool) -> None:
    before = ours()
    storm = Storm(make(), asynchronous=asynchronous)
    storm.calm()
    receivers = [permanent.receiver for permanent in storm.permanents]
    connected = weakrefs_to([*receivers, *storm.senders])
    light = weight(storm.signal)

    storm.rage(SECONDS)
    storm.calm()

    assert min(storm.sent.values()) > 0, storm.sent
    assert len(Temporary.alive) == 0
    assert weakrefs_to([*receivers, *storm.senders]) == connected
    # Not to the object: what is cached differs a little with what was last sent.
    assert weight(storm.signal) < light + 100
    for permanent in storm.permanents:
        permanent.disconnect(storm.signal)
    for sender in storm.senders:
        assert storm.signal.send(sender, calls=[]) == []
        assert not storm.signal.has_listeners(sender)
    assert list(storm.signal.receivers) == []
    reference = weakref.ref(storm.signal)
    del storm
    collect_all()
    assert reference() is None
    assert ours() - before == Counter()


class Losing(signalpost.Signal):
    """Wrong on purpose, and seldom: to see that the storm would notice."""

    turn = 0

    def spoil(self, live: Any) -> Any:
        return (live[0][:-1], live[1])

    def _live_receivers(self, sender: Any) -> Any:
        self.turn += 1
        live = super()._live_receivers(sender)
        return self.spoil(live) if self.turn % 50 == 0 else live


class Doubling(Losing):
    def spoil(self, live: Any) -> Any:
        return (live[0] + live[0][-1:], live[1])


class Haunted(Losing):
    """Calls a receiver that was disconnected long ago."""

    ghost: Any = None

    def disconnect(self, receiver: Any = None, *args: Any, **kwargs: Any) -> bool:
        self.ghost = receiver
        return super().disconnect(receiver, *args, **kwargs)

    def spoil(self, live: Any) -> Any:
        return (live[0] + ([self.ghost] if self.ghost else []), live[1])


@pytest.mark.parametrize("signal", [Losing, Doubling, Haunted])
def test_storm_notices_a_wrong_dispatcher(signal: type[signalpost.Signal]) -> None:
    with pytest.raises(StormError):
        Storm(signal()).rage(10)


class Deaf(signalpost.Signal):
    """Forgets every fiftieth connection."""

    turn = 0

    def connect(self, *args: Any, **kwargs: Any) -> None:
        self.turn += 1
        if self.turn % 50:
            super().connect(*args, **kwargs)


def test_storm_notices_a_lost_connection() -> None:
    with pytest.raises(AssertionError):
        Storm(Deaf()).rage(10)


class Leaking(signalpost.Signal):
    """Keeps what it should let go."""

    def connect(self, receiver: Any, *args: Any, **kwargs: Any) -> None:
        self.__dict__.setdefault("kept", []).append(getattr(receiver, "__self__", None))
        super().connect(receiver, *args, **kwargs)


def test_leak_is_noticed() -> None:
    storm = Storm(Leaking())
    light = weight(storm.signal)
    storm.rage(0.2)
    assert len(Temporary.alive) > 0
    assert weight(storm.signal) > light + 100
    storm.signal.kept.clear()
    storm.calm()
    assert weight(storm.signal) < light + 100
