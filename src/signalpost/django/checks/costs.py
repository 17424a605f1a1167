"""W004: receivers for any sender on signals where that costs every model."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.checks import CheckMessage
from django.db.models.signals import post_delete, post_init, pre_delete, pre_init

from signalpost.django.checks.wording import is_own_receiver, receiver, subject, warning
from signalpost.inspect import Connection

_EACH_INSTANCE = "it is called for each instance of each model, and so for each row that is read"
_NO_FAST_DELETE = "Django fetches each object of each model before it deletes it, instead of deleting by one query"
_COSTS = {
    pre_init: _EACH_INSTANCE,
    post_init: _EACH_INSTANCE,
    pre_delete: _NO_FAST_DELETE,
    post_delete: _NO_FAST_DELETE,
}


def check_costs(connected: Iterable[Connection]) -> list[CheckMessage]:
    """Warn of the project's own receivers that all models pay for."""
    return [
        warning(
            "signalpost.W004",
            f"{receiver(each)} is connected to {subject(each)}: {_COSTS[each.signal]}.",
            "Name the models that it is about: sender=Order, or sender=[Order, Invoice].",
            each,
        )
        for each in connected
        if each.is_for_any and each.signal in _COSTS and is_own_receiver(each)
    ]
