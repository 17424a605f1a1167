"""The admin: the entry of the map, and durable deliveries, to be looked at and operated.

It changes no row itself: what a user may do is what `signalpost.django.operating` does.
"""

from __future__ import annotations

from typing import Any, cast

from django.apps import apps
from django.contrib import admin
from django.db import DEFAULT_DB_ALIAS

from signalpost.django.admin.deliveries import DeliveryAdmin
from signalpost.django.admin.map import Map, MapAdmin
from signalpost.django.admin.messages import MessageAdmin
from signalpost.django.admin.workers import WorkerAdmin
from signalpost.django.models import Delivery, Message, Worker

__all__ = ["DeliveryAdmin", "Map", "MapAdmin", "MessageAdmin", "WorkerAdmin", "register"]

_TABLES: dict[Any, Any] = {Delivery: DeliveryAdmin, Message: MessageAdmin, Worker: WorkerAdmin}


def register(site: admin.AdminSite, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Have a site show the durable deliveries of one database, instead of another's."""
    for model, kind in _TABLES.items():
        if site.is_registered(model):
            site.unregister(model)
        site.register(model, kind, using=using)


# Imported by the admin itself; whoever imports it without has no site to register with.
if apps.is_installed("django.contrib.admin"):
    admin.site.register(cast("Any", [Map]), MapAdmin)
    register(admin.site)
