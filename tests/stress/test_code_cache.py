"""The generated code that is kept, bounded, while threads generate more."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

import signalpost
from signalpost.dispatch import codegen


class Contested(dict[Any, Any]):
    """What is about to be taken out has just been taken out by another thread."""

    def pop(self, key: Any, *default: Any) -> Any:
        del self[key]
        return super().pop(key, *default)


def test_another_thread_may_have_dropped_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codegen, "FACTORIES_KEPT", 1)
    monkeypatch.setattr(codegen, "_factories", Contested())
    monkeypatch.setattr(linecache, "cache", {})
    signal = signalpost.Signal()
    signal.connect(lambda **named: list(named), weak=False)

    for n in range(3):
        for _ in range(6):
            [(_, names)] = signal.send(None, **{f"payload_{n}": 1})
            assert names[-1] == f"payload_{n}"

    assert len(codegen._factories) == 1
