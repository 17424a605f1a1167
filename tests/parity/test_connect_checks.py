"""What is checked when a receiver is connected: nothing, under DEBUG, or always."""

from __future__ import annotations

import re
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils.functional import empty

from tests.parity.compare import differs, parity
from tests.parity.dispatchers import ADOPTED, OWN, Dispatcher
from tests.parity.observe import ANYONE, raised_builtin


@parity(ADOPTED)
def test_nothing_is_checked_without_debug(d: Dispatcher) -> Any:
    def positional(sender: Any) -> None: ...

    signal = d.make()
    with override_settings(DEBUG=False):
        signal.connect(positional)
        signal.connect(object(), weak=False)
    return len(signal.receivers), raised_builtin(lambda: d.send(signal, ANYONE))


@parity(ADOPTED)
def test_nothing_is_checked_without_settings(d: Dispatcher) -> Any:
    signal = d.make()
    with mock.patch.object(settings, "_wrapped", empty):
        signal.connect(object(), weak=False)
        configured = settings.configured
    return configured, len(signal.receivers)


def _wrong_receivers() -> list[Any]:
    def no_keywords(sender: Any) -> None: ...

    class Listener:
        def hear(self, sender: Any) -> None: ...

        def __call__(self, sender: Any) -> None: ...

    return [object(), 1, None, no_keywords, lambda: None, Listener().hear, Listener()]


@pytest.mark.parametrize("subject", ADOPTED, ids=str)
@pytest.mark.parametrize("number", range(7))
def test_receivers_are_checked_under_debug(subject: Dispatcher, number: int) -> None:
    ours, theirs = subject.make(), subject.model().make()
    with override_settings(DEBUG=True):
        with pytest.raises((TypeError, ValueError)) as expected:
            theirs.connect(_wrong_receivers()[number], weak=False)
        # Of Django's type, and beginning with its text: ours goes on with what to do.
        with pytest.raises(expected.type, match=f"^{re.escape(str(expected.value))}"):
            ours.connect(_wrong_receivers()[number], weak=False)
    assert list(ours.receivers) == []


@parity(ADOPTED)
def test_receivers_that_pass_the_check_under_debug(d: Dispatcher) -> Any:
    import functools

    class Listener:
        def hear(self, **named: Any) -> None: ...

        def __call__(self, **named: Any) -> None: ...

    def receive(a: Any, **named: Any) -> None: ...

    signal = d.make()
    with override_settings(DEBUG=True):
        for receiver in (receive, Listener().hear, Listener(), functools.partial(receive, 1)):
            signal.connect(receiver, weak=False)
    return len(signal.receivers)


@differs(
    django={"refused": [None] * 7, "connected": 7},
    ours={"refused": ["TypeError"] * 7, "connected": 0},
    subjects=OWN,
)
def test_own_signal_checks_receivers_always_where_django_checks_under_debug(d: Dispatcher) -> Any:
    signal = d.make()
    with override_settings(DEBUG=False):
        refused = [
            raised_builtin(lambda receiver=receiver: signal.connect(receiver, weak=False))
            for receiver in _wrong_receivers()
        ]
    return {"refused": refused, "connected": len(signal.receivers)}
