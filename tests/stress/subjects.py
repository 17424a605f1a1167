"""The signals under stress: ours and adopted ones, caching or not, made before the adoption too."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import django.dispatch.dispatcher
import pytest

import signalpost

Make = Callable[[], Any]


def _made_before_adoption() -> Any:
    """A signal in the state that Django's own constructor left it in: with its lock, say."""
    name = "unadopted_dispatcher"
    if name not in sys.modules:
        path = django.dispatch.dispatcher.__file__
        assert path is not None
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    signal = django.dispatch.Signal.__new__(django.dispatch.Signal)
    vars(signal).update(vars(sys.modules[name].Signal(use_caching=True)))
    return signal


SUBJECTS: dict[str, Make] = {
    "own": signalpost.Signal,
    "own-caching": lambda: signalpost.Signal(use_caching=True),
    "own-declared": lambda: signalpost.Signal(providing_args=["calls"]),
    "adopted": django.dispatch.Signal,
    "adopted-caching": lambda: django.dispatch.Signal(use_caching=True),
    "existing-caching": _made_before_adoption,
}

every_subject = pytest.mark.parametrize("make", SUBJECTS.values(), ids=SUBJECTS.keys())
