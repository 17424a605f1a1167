"""A second copy of the installed Django's dispatcher, which adoption can't reach.

`signalpost.django.adopt()` changes the class object `django.dispatch.Signal`. The copy is executed
from the same files under other module names, so its classes and code objects are its own: "Django"
in every table is this copy, and it stays Django's whatever was adopted before.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any
from unittest.mock import patch

import django.db.models.signals
import django.dispatch


def _second_copy(original: ModuleType) -> ModuleType:
    assert original.__file__ is not None  # Django's modules are files
    name = f"benchmarks.untouched.{original.__name__}"
    spec = importlib.util.spec_from_file_location(name, original.__file__)
    assert spec is not None  # the file was imported once already
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _second_model_signals(signal_class: type[Any]) -> ModuleType:
    # Its `from django.dispatch import Signal` must find the untouched class as the base.
    with patch.object(django.dispatch, "Signal", signal_class):
        return _second_copy(django.db.models.signals)


Signal: type[Any] = _second_copy(django.dispatch.dispatcher).Signal
ModelSignal: type[Any] = _second_model_signals(Signal).ModelSignal
