"""Gives the dispatcher what it leaves to Django: transactions, models, the options about them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from signalpost.dispatch import hooks

if TYPE_CHECKING:
    from signalpost.dispatch.options import Connecting


def wire() -> None:
    """Fill in the hooks of the dispatcher. Needs neither configured settings nor apps."""
    from signalpost.delivery import durable_options
    from signalpost.delivery.on_commit import Options, send_on_commit
    from signalpost.dispatch.elsewhere import WITH_DURABLE
    from signalpost.django.databases import DjangoDatabases
    from signalpost.django.transactions import DjangoTransactions, Protection, in_transaction

    transactions = DjangoTransactions()
    delivery = Options(transactions)
    hooks.protect = Protection
    hooks.in_transaction = in_transaction
    hooks.when_loaded = when_loaded
    hooks.send_on_commit = partial(send_on_commit, transactions)
    hooks.options.update(
        on_commit=delivery.on_commit,
        coalesce=delivery.coalesce,
        fields=_fields,
        bulk=_bulk,
        durable=partial(durable_options.durable, DjangoDatabases()),
        **{name: getattr(durable_options, name) for name in WITH_DURABLE},
    )


def when_loaded(label: str, function: Callable[[Any], object]) -> None:
    """Call the function with the model of that label, now or when its class is made."""
    from django.apps import apps
    from django.db.models.utils import make_model_tuple

    def operation(model: Any) -> None:
        function(model)

    # Django's check of lazy references takes each that is left for an error, but for those of this
    # name. A string may also be what is sent as the sender; our own check looks at what it could be.
    operation.__module__, operation.__name__ = "django.db.models.fields.related", "set_managed"
    apps.lazy_model_operation(operation, make_model_tuple(label))


def _fields(connecting: Connecting, value: Any) -> None:
    from signalpost.django.fields import fields_option

    fields_option(connecting, value)


def _bulk(connecting: Connecting, value: Any) -> None:
    from signalpost.django.bulk import bulk_option

    bulk_option(connecting, value)
