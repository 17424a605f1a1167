"""Fixtures for pytest, found by their entry point. Django is imported only by `commit_receivers`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from signalpost.testing import Captured, Drained


@pytest.fixture
def mute_signals() -> Iterator[Callable[..., None]]:
    """A function that mutes signals or receivers until the test ends, as `signalpost.mute`."""
    from signalpost import mute

    with ExitStack() as stack:

        def silence(*signals_or_receivers: Any, sender: Any = None) -> None:
            stack.enter_context(mute(*signals_or_receivers, sender=sender))

        yield silence


@pytest.fixture
def capture_signals() -> Iterator[Callable[..., Captured]]:
    """A function that notes what signals send until the test ends, as `testing.capture`."""
    from signalpost.testing import capture

    with ExitStack() as stack:

        def note(*signals: Any) -> Captured:
            captured: Captured = stack.enter_context(capture(*signals))
            return captured

        yield note


@pytest.fixture
def commit_receivers() -> Callable[..., AbstractContextManager[None]]:
    """A block that runs, at its end, the receivers that wait for the commit."""
    from signalpost.testing import run_on_commit

    return run_on_commit


@pytest.fixture
def drain_deliveries() -> Callable[..., Drained]:
    """A function that runs the durable deliveries which are owed, as `testing.drain`."""
    from signalpost.testing import drain

    return drain
