"""What the checks say of the settings, and of the adoption that they lead to."""

from __future__ import annotations

from django.core import checks
from django.core.checks import CheckMessage

from signalpost.django.adoption import is_adopted
from signalpost.django.settings import faults


def check_settings() -> list[CheckMessage]:
    """E001: a setting that doesn't exist. E002: one that can't have that value."""
    return [
        checks.Error(
            fault.message,
            hint=fault.hint,
            id="signalpost.E001" if fault.unknown else "signalpost.E002",
        )
        for fault in faults()
    ]


def tell_adoption() -> list[CheckMessage]:
    """I001: `django.dispatch` has Signalpost's dispatcher."""
    if not is_adopted():
        return []
    return [
        checks.Info(
            "django.dispatch is adopted: its signals run on Signalpost's dispatcher.",
            hint="SIGNALPOST = {'ADOPT': False} leaves Django's dispatcher alone.",
            id="signalpost.I001",
        )
    ]
