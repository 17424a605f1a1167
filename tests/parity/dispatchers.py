"""The dispatchers under test: the installed Django's own, untouched; the adopted one; ours."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import sys
from types import ModuleType
from typing import Any
from unittest import mock

import django.db.models.signals
import django.dispatch.dispatcher

import signalpost

DJANGO = django.VERSION[:2]


def _load(name: str, path: str | None) -> ModuleType:
    """Execute the module at `path` once more, under a name that adoption doesn't know."""
    assert path is not None
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its class is pickled by name
    spec.loader.exec_module(module)
    return module


pristine = _load("pristine_dispatcher", django.dispatch.dispatcher.__file__)

# `django.db.models.signals` once more, its ModelSignal on top of the pristine Signal.
with mock.patch.dict(sys.modules, {"django.dispatch": pristine}):
    pristine_model_signals = _load("pristine_model_signals", django.db.models.signals.__file__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """One dispatcher, as the scenarios use it.

    `repeat` is how often `send` and `send_robust` really send: ours changes its way of
    calling once a signal is sent often, which must never show.
    """

    label: str
    Signal: Any
    receiver: Any
    caching: bool = False
    existing: bool = False
    repeat: int = 1
    module: ModuleType = django.dispatch.dispatcher
    model_signals: ModuleType = django.db.models.signals

    def __str__(self) -> str:
        return f"{self.label}-{'caching' if self.caching else 'plain'}"

    def make(self) -> Any:
        """A signal, caching or not."""
        if not self.existing:
            return self.Signal(use_caching=self.caching)
        # What an instance that was made before the adoption looks like.
        signal = self.Signal.__new__(self.Signal)
        vars(signal).update(vars(pristine.Signal(self.caching)))
        return signal

    def refresh(self, signal: Any) -> None:
        """Clear the cache, as everyone must who changes `receivers` by hand."""
        with signal.lock:
            signal.sender_receivers_cache.clear()

    def send(self, signal: Any, sender: Any, /, **named: Any) -> Any:
        """What the last of `repeat` sends returns or raises."""
        for _ in range(self.repeat - 1):
            with contextlib.suppress(Exception):
                signal.send(sender, **named)
        return signal.send(sender, **named)

    def send_robust(self, signal: Any, sender: Any, /, **named: Any) -> Any:
        """What the last of `repeat` robust sends returns."""
        for _ in range(self.repeat - 1):
            signal.send_robust(sender, **named)
        return signal.send_robust(sender, **named)

    def model(self) -> Dispatcher:
        """The installed Django's own dispatcher, with the same settings as this one."""
        return Dispatcher(
            label="django",
            Signal=pristine.Signal,
            receiver=pristine.receiver,
            caching=self.caching,
            repeat=self.repeat,
            module=pristine,
            model_signals=pristine_model_signals,
        )

    def repeating(self, repeat: int) -> Dispatcher:
        return dataclasses.replace(self, repeat=repeat)


def _subjects(label: str, **kwargs: Any) -> tuple[Dispatcher, ...]:
    return tuple(Dispatcher(label=label, caching=caching, **kwargs) for caching in (False, True))


_django = {"Signal": django.dispatch.Signal, "receiver": django.dispatch.receiver}

ADOPTED = _subjects("adopted", **_django) + _subjects("existing", existing=True, **_django)
OWN = _subjects("own", Signal=signalpost.Signal, receiver=signalpost.receiver)
EVERY = ADOPTED + OWN
# Where Django's own caching signals have a bug (see the tests of what we fix), or no cache matters.
PLAIN = tuple(d for d in EVERY if not d.caching)
