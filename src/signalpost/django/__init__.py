"""The Django app: ``INSTALLED_APPS = [..., "signalpost.django"]``.

Listing it gives `django.dispatch` Signalpost's dispatcher, in place, and imports the ``receivers``
module of each installed app. `adopt` does the first for a process that has no apps.
"""

from __future__ import annotations

__all__ = ["adopt"]


def adopt() -> bool:
    """Give `django.dispatch.Signal` Signalpost's dispatcher, in place.

    The class stays the same object, so subclasses, instances (existing ones too, with their
    connections) and imports hold. Returns whether anything changed: False when it had been done
    before. Needs neither configured settings nor apps.
    """
    from signalpost.django.adoption import adopt_dispatcher
    from signalpost.django.wiring import wire

    wire()
    return adopt_dispatcher()
