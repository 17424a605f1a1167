"""W005: receivers of deletions that the database makes by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage
from django.db import models
from django.db.models.signals import post_delete, pre_delete

from signalpost.django.checks.wording import receiver, some, subject, warning
from signalpost.inspect import Connection

# Since Django 6.1. Before, all deletions are Django's own.
_DB_CASCADE: Any = getattr(models, "DB_CASCADE", None)


def check_database_deletes(connected: Iterable[Connection]) -> list[CheckMessage]:
    """Warn of receivers of a model whose rows the database deletes, which no signal tells of."""
    if _DB_CASCADE is None:
        return []
    found: list[CheckMessage] = []
    for each in connected:
        if each.signal not in (pre_delete, post_delete):
            continue
        fields = [f"'{field}'" for model in _models_of(each) for field in _cascading(model)]
        if fields:  # a proxy has those of its model
            found.append(_tell(each, dict.fromkeys(fields)))
    return found


def _models_of(connection: Connection) -> Iterator[type[models.Model]]:
    sender = connection.sender
    for model in apps.get_models():
        inherits = connection.with_subclasses and isinstance(sender, type)
        if model is sender or (inherits and issubclass(model, sender)):
            yield model


def _cascading(model: type[models.Model]) -> list[str]:
    return [
        str(field)
        for field in model._meta.fields
        if getattr(field.remote_field, "on_delete", None) is _DB_CASCADE
    ]


def _tell(connection: Connection, fields: Iterable[str]) -> CheckMessage:
    return warning(
        "signalpost.W005",
        f"{receiver(connection)} is connected to {subject(connection)}, but the database deletes "
        f"rows by itself, without a signal, where on_delete is DB_CASCADE: {some(fields)}.",
        "Use on_delete=models.CASCADE there, so that Django deletes the rows and sends the signal, "
        "or have the database do what the receiver does.",
        connection,
    )
