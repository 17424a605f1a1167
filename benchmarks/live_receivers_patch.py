"""`_live_receivers` replaced as an error tracker replaces it, to see each receiver run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


def patch(signal_class: Any) -> None:
    """Wrap each sync receiver that the class's `_live_receivers` returns."""
    original = signal_class._live_receivers

    def live_receivers(self: Any, sender: object) -> tuple[list[Any], list[Any]]:
        def traced(receiver: Callable[..., object]) -> Callable[..., object]:
            @wraps(receiver)
            def wrapper(*args: object, **kwargs: object) -> object:
                return receiver(*args, **kwargs)

            return wrapper

        sync_receivers, async_receivers = original(self, sender)
        for at, receiver in enumerate(sync_receivers):
            sync_receivers[at] = traced(receiver)
        return sync_receivers, async_receivers

    signal_class._live_receivers = live_receivers


@contextmanager
def patched(*signal_classes: Any) -> Iterator[None]:
    """Patch the classes, and give them their own methods back at the end."""
    originals = [vars(signal_class)["_live_receivers"] for signal_class in signal_classes]
    for signal_class in signal_classes:
        patch(signal_class)
    try:
        yield
    finally:
        for signal_class, original in zip(signal_classes, originals, strict=True):
            signal_class._live_receivers = original
