"""What an example leaves behind is gone before the next test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth import signals as auth_signals
from django.core import signals as core_signals
from django.db.backends import signals as backend_signals
from django.db.models import signals as model_signals
from django.dispatch import Signal
from django.test import signals as test_signals

DJANGO_SIGNALS = [
    signal
    for module in (auth_signals, backend_signals, core_signals, model_signals, test_signals)
    for signal in vars(module).values()
    if isinstance(signal, Signal)
]


@contextmanager
def signals_restored() -> Iterator[None]:
    """Restore the receivers of Django's signals at the end."""
    receivers = [(signal, list(signal.receivers)) for signal in DJANGO_SIGNALS]
    try:
        yield
    finally:
        for signal, before in receivers:
            with signal.lock:
                signal.receivers = before
                signal.sender_receivers_cache.clear()


@pytest.fixture
def tidy_process(db: None) -> Iterator[None]:
    """A database that is rolled back, and receivers of Django's signals as they were before."""
    with signals_restored():
        yield
