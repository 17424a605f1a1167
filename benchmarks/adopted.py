"""Adopted signals beside untouched ones, as contenders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import django.db.models.signals
import django.dispatch

from benchmarks import names, untouched
from benchmarks.budgets import Budget
from benchmarks.contenders import Statement
from benchmarks.receivers import Comment, Receiver

# What `post_save` sends: five keywords.
_SEND = (
    "signal.send(sender=sender, instance=instance, created=False, update_fields=None, raw=False, "
    "using='default')"
)

Make = Callable[[type[Any]], Any]
"""Makes a signal, its receivers connected, of the class it is given."""


def adopt_django() -> None:
    """Put our dispatcher in the place of this process's `django.dispatch`, if it isn't there yet."""
    from signalpost.django import adopt

    adopt()


def plain_pair(receivers: Callable[[], Sequence[Receiver]]) -> Mapping[str, Statement]:
    """A send of `Signal()` to receivers of any sender, adopted and untouched."""
    adopt_django()
    return {
        names.ADOPTED: _sending(django.dispatch.Signal(), receivers(), sender=None),
        names.UNTOUCHED: _sending(untouched.Signal(), receivers(), sender=None),
    }


def cached_model_pair(receivers: Callable[[], Sequence[Receiver]]) -> Mapping[str, Statement]:
    """A send of a `ModelSignal` with its cache on, to receivers of one sender."""
    adopt_django()
    adopted = django.db.models.signals.ModelSignal(use_caching=True)
    pristine = untouched.ModelSignal(use_caching=True)
    return {
        names.ADOPTED: _sending(adopted, receivers(), sender=Comment),
        names.UNTOUCHED: _sending(pristine, receivers(), sender=Comment),
    }


def crowded_pair(
    receivers: Callable[[], Sequence[Receiver]], others: int
) -> Mapping[str, Statement]:
    """A send of an uncached signal to receivers of one sender, beside those of many others."""
    adopt_django()

    def crowded(signal: Any) -> Statement:
        senders = [type("Other", (), {}) for _ in range(others)]
        kept = [receiver for _ in senders for receiver in receivers()]
        for receiver, sender in zip(kept, senders, strict=True):
            signal.connect(receiver, sender=sender)
        return _sending(signal, receivers(), sender=Comment, keep=(senders, kept))

    return {
        names.ADOPTED: crowded(django.dispatch.Signal()),
        names.UNTOUCHED: crowded(untouched.Signal()),
    }


def at_least(times_as_fast: float) -> tuple[Budget, ...]:
    """The budget of a row of adopted signals."""
    return (Budget(names.ADOPTED, against=names.UNTOUCHED, at_least=times_as_fast),)


def _sending(
    signal: Any, receivers: Sequence[Receiver], *, sender: object, keep: object = None
) -> Statement:
    for receiver in receivers:
        signal.connect(receiver, sender=sender)
    return Statement(
        _SEND, signal=signal, sender=Comment, instance=Comment(), keep=(receivers, keep)
    )
