"""The app's configuration: adopts, discovers, checks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register

from signalpost.django import adopt, autodiscovery, checks, observers, payloads, trace_server
from signalpost.django.settings import configured
from signalpost.django.wiring import wire


class SignalpostConfig(AppConfig):
    """Adopts `django.dispatch` and imports each app's receivers, as the settings say."""

    name = "signalpost.django"
    label = "signalpost"
    default_auto_field: Any = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        wire()
        # As early as an app can act: before any app's models, where signals are made.
        if configured("ADOPT"):
            adopt()

    def ready(self) -> None:
        payloads.install()
        register(checks.check_wiring, Tags.signals)
        register(checks.check_stored, Tags.database)
        autodiscovery.autodiscover(configured("AUTODISCOVER"))
        observers.install(configured("OBSERVERS"))
        if trace_server.is_wanted(configured("TRACE")):
            trace_server.start()
