"""W007: senders that are named by a string which names no model."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from django.apps import apps
from django.core.checks import CheckMessage
from django.db.models.signals import ModelSignal

from signalpost.dispatch.dialect import is_label
from signalpost.django.checks.wording import receiver, subject, warning
from signalpost.inspect import Connection

# What has no capital may as well be a name that is sent as the sender, unless it is this near.
_NEAR = 0.8


def check_labels(connected: Iterable[Connection]) -> list[CheckMessage]:
    """Warn of receivers that wait for a model that doesn't come.

    Those of Django's model signals are told of by Django's own check, signals.E001.
    """
    found: list[CheckMessage] = []
    for each in connected:
        label = each.sender
        if (
            not isinstance(label, str)
            or not is_label(label)
            or isinstance(each.signal, ModelSignal)
        ):
            continue
        problem = _missing(label)
        if problem is None:
            continue
        near = _nearest(label)
        if near is not None or label.rpartition(".")[2][0].isupper():
            found.append(_tell(each, problem, near))
    return found


def _missing(label: str) -> str | None:
    """What of an "app.Model" there isn't, or None where it names a model."""
    app, _, model = label.partition(".")
    try:
        config = apps.get_app_config(app)
    except LookupError:
        return f"app '{app}' isn't installed"
    try:
        config.get_model(model)
    except LookupError:
        return f"app '{app}' has no model '{model}'"
    return None


def _nearest(label: str) -> str | None:
    labels = {model._meta.label_lower: model._meta.label for model in apps.get_models()}
    near = get_close_matches(label.lower(), labels, n=1, cutoff=_NEAR)
    return labels[near[0]] if near else None


def _tell(connection: Connection, problem: str, near: str | None) -> CheckMessage:
    question = f" Did you mean '{near}'?" if near else ""
    return warning(
        "signalpost.W007",
        f"{receiver(connection)} is connected to {subject(connection)}, but {problem}, so no "
        f"model's sends reach it.{question}",
        'Name a model of an installed app by its label, "app.Model". If the string itself is what '
        "is sent as the sender, silence this check.",
        connection,
    )
