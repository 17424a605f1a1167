"""W006: receivers of a model that its proxies and children don't reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage
from django.db.models import Model
from django.db.models.base import ModelBase
from django.db.models.signals import (
    post_delete,
    post_init,
    post_save,
    pre_delete,
    pre_init,
    pre_save,
)

from signalpost.django.checks.wording import is_own_receiver, receiver, some, subject, warning
from signalpost.inspect import Connection

_DELETIONS = (pre_delete, post_delete)
_OF_INSTANCES = (pre_init, post_init, pre_save, post_save, *_DELETIONS)


def check_subclasses(connected: Iterable[Connection]) -> list[CheckMessage]:
    """Warn of the project's own receivers that are connected for a model but not for its heirs."""
    relevant = [each for each in connected if each.signal in _OF_INSTANCES]
    found: list[CheckMessage] = []
    for each in relevant:
        if each.with_subclasses or not isinstance(each.sender, ModelBase):
            continue
        missed = [model for model in _heirs(each) if not _is_reached(model, each, relevant)]
        if missed and is_own_receiver(each):
            found.append(_tell(each, missed))
    return found


def _heirs(connection: Connection) -> Iterator[type[Model]]:
    """The installed models of which the sender's receivers hear nothing."""
    sender: type[Model] = connection.sender
    for model in apps.get_models():
        if model is sender or not issubclass(model, sender):
            continue
        # With a child in a table of its own Django deletes the parent's row, and sends that too.
        concrete = model._meta.concrete_model or model
        deletes_sender_too = sender in concrete._meta.get_parent_list()
        if connection.signal in _DELETIONS and deletes_sender_too:
            continue
        yield model


def _is_reached(model: type[Model], missing: Connection, connected: list[Connection]) -> bool:
    """Whether the same receiver is connected for that model in another way."""
    return any(
        each.signal is missing.signal
        and _is_same(each.receiver, missing.receiver)
        and (
            each.is_for_any
            or each.sender is model
            or (each.with_subclasses and issubclass(model, each.sender))
        )
        for each in connected
    )


def _is_same(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)  # a method is another object at each access
    except Exception:  # noqa: BLE001 - a receiver may be any object
        return False


def _tell(connection: Connection, missed: list[type[Model]]) -> CheckMessage:
    labels = [
        f"{'proxy' if model._meta.proxy else 'child'} '{model._meta.label}'" for model in missed
    ]
    senders = ", ".join(model.__name__ for model in (connection.sender, *missed[:3]))
    return warning(
        "signalpost.W006",
        f"{receiver(connection)} is connected to {subject(connection)} alone: Django sends with the "
        f"instance's own class, so it isn't called for {some(labels)}.",
        f"Connect it with subclasses=True, or name all that it is about: sender=[{senders}].",
        connection,
    )
