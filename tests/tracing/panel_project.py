"""A project with Django Debug Toolbar and our panel.

`python -m tests.tracing.panel_project` asks it for pages and prints, as JSON, what the panel shows of
them; with a port and the path of a database it serves the project there, for a browser.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import django
from django.conf import settings

PORT, DATABASE = sys.argv[1:] or (None, ":memory:")

settings.configure(
    DEBUG=True,
    SECRET_KEY="for this test only",
    ALLOWED_HOSTS=["testserver", "127.0.0.1"],
    INSTALLED_APPS=[
        "signalpost.django",
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.staticfiles",
        "debug_toolbar",
        "tests.store",
    ],
    MIDDLEWARE=["debug_toolbar.middleware.DebugToolbarMiddleware"],
    ROOT_URLCONF=__name__,
    STATIC_URL="static/",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    DEBUG_TOOLBAR_PANELS=[
        "debug_toolbar.panels.signals.SignalsPanel",
        "signalpost.django.toolbar.FiredSignalsPanel",
    ],
    DEBUG_TOOLBAR_CONFIG={"SHOW_TOOLBAR_CALLBACK": lambda request: True},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
)
django.setup()

from debug_toolbar.toolbar import debug_toolbar_urls
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.signals import post_save
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from signalpost import Signal, receiver
from signalpost.dispatch import hooks
from tests.store.models import Customer, Order

paid = Signal(name="shop.paid")


@receiver(paid)
def greet(order: Any, **kwargs: Any) -> None:
    Customer.objects.create(name=f"<b>{order.pk}</b>")


@receiver(paid, on_error="log")
def complain(**kwargs: Any) -> None:
    raise ValueError("<script>no</script>")


@receiver(post_save, sender=Customer)
def welcome(**kwargs: Any) -> None:
    list(Order.objects.all())


@receiver(paid, on_commit=True)
def mail(**kwargs: Any) -> None: ...


def pay(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        order = Order.objects.create()
        paid.send(Order, order=order)
    return HttpResponse("<html><body>paid</body></html>")


def rest(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<html><body>nothing</body></html>")


urlpatterns = [path("pay/", pay), path("rest/", rest), *debug_toolbar_urls()]


def panel_of(address: str, name: str) -> str:
    client = Client()
    page = client.get(address).content.decode()
    [request_id] = re.findall(r'data-(?:request|store)-id="(\w+)"', page)
    parameters = {"request_id": request_id, "store_id": request_id, "panel_id": name}
    answer = client.get("/__debug__/render_panel/", parameters).json()
    subtitle = re.search(rf'id="djdt-{name}".*?<small>(.*?)</small>', page, re.DOTALL)
    return answer["content"] + (f"[{subtitle[1].strip()}]" if subtitle else "")


if __name__ == "__main__":
    call_command("migrate", run_syncdb=True, verbosity=0)
    if PORT is not None:
        call_command("runserver", f"127.0.0.1:{PORT}", use_reloader=False)
        sys.exit()
    print(
        json.dumps(
            {
                "pay": panel_of("/pay/", "FiredSignalsPanel"),
                "rest": panel_of("/rest/", "FiredSignalsPanel"),
                "connected": panel_of("/rest/", "SignalsPanel"),
                "observes": hooks.observe is not None,
                "wrappers": len(connection.execute_wrappers),
            }
        )
    )
