"""A signal that was made and connected before adoption, and what is done to it first after.

Django's own signals are such, and so are those of packages that are imported by the settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.parity.dispatchers import ADOPTED, Dispatcher, pristine


class Other:
    """Sends too."""


class Sender:
    """Sends."""


def for_any(**kwargs: Any) -> str:
    return "for any"


def for_sender(**kwargs: Any) -> str:
    return "for the sender"


def late(**kwargs: Any) -> str:
    return "late"


def made_before(d: Dispatcher) -> Any:
    """Return a signal of the class with what Django's own has put into it."""
    own = pristine.Signal(d.caching)
    own.connect(for_any)
    own.connect(for_sender, sender=Sender)
    signal = d.Signal.__new__(d.Signal)
    vars(signal).update(vars(own))
    return signal


def clear_dead(signal: Any) -> None:
    with signal.lock:
        signal._clear_dead_receivers()


def clear_cache(signal: Any) -> None:
    with signal.lock:
        signal.sender_receivers_cache.clear()


def set_dead(signal: Any) -> None:
    signal._dead_receivers = True


def mute_and_restore(signal: Any) -> None:
    paused, signal.receivers = signal.receivers, []
    signal.receivers = paused + signal.receivers


def override(signal: Any) -> Any:
    signal._live_receivers = lambda sender: ([late], [])
    seen = [response for _, response in signal.send(Sender)]
    del signal._live_receivers
    return seen


TOUCHES: dict[str, Callable[[Any], Any]] = {
    "send": lambda signal: len(signal.send(Sender)),
    "send_robust": lambda signal: len(signal.send_robust(Sender)),
    "has_listeners": lambda signal: signal.has_listeners(Sender),
    "connect": lambda signal: signal.connect(late),
    "connect again": lambda signal: signal.connect(for_any),
    "disconnect": lambda signal: signal.disconnect(for_any),
    "disconnect nobody": lambda signal: signal.disconnect(late),
    "receivers": lambda signal: [entry[1]().__name__ for entry in signal.receivers],
    "_live_receivers": lambda signal: signal._live_receivers(Sender),
    "_clear_dead_receivers": clear_dead,
    "_dead_receivers": lambda signal: type(signal._dead_receivers),
    "_dead_receivers set": set_dead,
    "sender_receivers_cache": clear_cache,
    "use_caching": lambda signal: signal.use_caching,
    "mute": mute_and_restore,
    "override": override,
    "append": lambda signal: signal.receivers.append(signal.receivers[0]),
    "log": lambda signal: signal._log_robust_failure(for_any, LookupError("logged")),
}


def play(d: Dispatcher, touch: Callable[[Any], Any]) -> list[Any]:
    signal = made_before(d)
    seen = [touch(signal)]
    d.refresh(signal)
    seen += [[response for _, response in d.send(signal, Sender)], signal.has_listeners(Other)]
    seen += [len(signal.receivers), signal.disconnect(for_sender, sender=Sender)]
    seen += [[response for _, response in d.send(signal, Sender)]]
    return seen


@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize("subject", [d for d in ADOPTED if d.existing], ids=str)
def test_a_signal_made_before_adoption_keeps_its_receivers_whatever_comes_first(
    subject: Dispatcher, touch: str
) -> None:
    expected = play(subject.model(), TOUCHES[touch])

    assert expected[1]
    assert play(subject, TOUCHES[touch]) == expected


def test_the_repr_of_a_signal_made_before_adoption_counts_its_receivers() -> None:
    subject = next(d for d in ADOPTED if d.existing)

    assert "(2 receivers)" in repr(made_before(subject))
