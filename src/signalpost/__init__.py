"""Signals, delivered: a drop-in for `django.dispatch` that is faster, typed and visible.

This is the public face; ARCHITECTURE.md in the repository maps what lies behind it.
"""

from __future__ import annotations

from signalpost.dispatch import Outcome, Signal, TypedSignal, receiver, signal
from signalpost.exceptions import (
    DeadReceiverWarning,
    DeclarationError,
    DeliveryTimeout,
    GiveUp,
    PayloadError,
    PayloadUnreadable,
    ReceiverError,
    RecordingError,
    Retry,
    RunningLoopError,
    SignalpostError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from signalpost.delivery.context import current_context, signal_context
    from signalpost.dispatch.muting import mute


def __getattr__(name: str) -> Any:
    if name == "mute":  # needs `inspect`, which takes 9 ms to import
        from signalpost.dispatch.muting import mute

        return mute
    if name in ("current_context", "signal_context"):
        from signalpost.delivery import context

        return getattr(context, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DeadReceiverWarning",
    "DeclarationError",
    "DeliveryTimeout",
    "GiveUp",
    "Outcome",
    "PayloadError",
    "PayloadUnreadable",
    "ReceiverError",
    "RecordingError",
    "Retry",
    "RunningLoopError",
    "Signal",
    "SignalpostError",
    "TypedSignal",
    "current_context",
    "mute",
    "receiver",
    "signal",
    "signal_context",
]
