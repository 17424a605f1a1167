"""Receivers that answer with their labels, and signals that they are connected to."""

from __future__ import annotations

from typing import Any

from signalpost import Signal
from tests.dispatch.heat import heat


class Host:
    def __init__(self, label: str) -> None:
        self.label = label

    def __call__(self, **named: Any) -> str:
        return self.label

    def method(self, **named: Any) -> str:
        return self.label


class Sender: ...


A, B, C, D = (Host(label) for label in "ABCD")


def row_of(receiver: Any, **options: Any) -> Any:
    """A row of another signal."""
    other = Signal()
    other.connect(receiver, **options)
    return other.receivers[0]


def connected(*receivers: Any, sends: int = 0) -> Signal:
    signal = Signal(name="shop.paid")
    for receiver in receivers:
        signal.connect(receiver)
    heat(signal, sends)
    return signal
