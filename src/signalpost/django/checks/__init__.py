"""System checks: ``manage.py check`` shows what is wrong with the wiring, with a hint for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage

from signalpost.django.checks.configuration import check_settings, tell_adoption
from signalpost.django.checks.costs import check_costs
from signalpost.django.checks.deletes import check_database_deletes
from signalpost.django.checks.deliveries import check_durable_settings, check_stored
from signalpost.django.checks.labels import check_labels
from signalpost.django.checks.modules import check_modules_imported, check_sources_imported
from signalpost.django.checks.subclasses import check_subclasses
from signalpost.django.checks.twice import check_connected_once
from signalpost.inspect import connections

if TYPE_CHECKING:
    from django.apps import AppConfig


__all__ = ["check_stored", "check_wiring"]


def check_wiring(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """All checks, in this order: Django runs those that are registered singly in none.

    Where Django checks some apps only, what is said of the others is left out.
    """
    connected = connections()
    faults = [
        *check_modules_imported(),
        *check_connected_once(connected),
        *check_sources_imported(),
        *check_costs(connected),
        *check_database_deletes(connected),
        *check_subclasses(connected),
        *check_labels(connected),
    ]
    if app_configs is not None:
        faults = [fault for fault in faults if fault.obj in app_configs]
    return [*check_settings(), *check_durable_settings(), *faults, *tell_adoption()]
