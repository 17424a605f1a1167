"""A project with the map, and who looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import clear_url_caches

from signalpost.django.mapping.live import live
from tests.map import wiring

SITE: dict[str, Any] = {
    "ROOT_URLCONF": "tests.map.urls",
    "DEBUG": True,
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    # No table is needed.
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "STATIC_URL": "/static/",
    "LOGIN_URL": "/log-in/",
    "TEMPLATES": [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
    ],
}


@pytest.fixture
def site() -> Iterator[None]:
    with override_settings(**SITE):
        clear_url_caches()
        yield
        live.stop()
    clear_url_caches()


@pytest.fixture
def staff(site: None, django_user_model: Any, db: None) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_user("ann", is_staff=True))
    return client


@pytest.fixture
def wired() -> Iterator[None]:
    """Receivers of all kinds are connected."""
    wiring.paid.connect(wiring.mail_receipt, priority=9)
    wiring.paid.connect(wiring.ship, sender=wiring.Order)
    wiring.paid.connect(wiring.reserve, on_commit=True, weak=False)
    wiring.hostile.connect(wiring.ship)
    yield
    wiring.paid.receivers = []
    wiring.hostile.receivers = []
