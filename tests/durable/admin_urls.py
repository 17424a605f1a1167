"""The addresses of a project whose staff watch each of the tests' databases, and of its map."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.urls import include, path

from signalpost.django.admin import Map, MapAdmin, register

SITES = {alias: admin.AdminSite(name=alias) for alias in ("default", "file", "postgres", "mariadb")}
for _alias, _site in SITES.items():
    register(_site, using=_alias)
    _site.register(cast("Any", [Map]), MapAdmin)

urlpatterns = [path(f"{alias}/", site.urls) for alias, site in SITES.items()]
urlpatterns.append(path("signalpost/", include("signalpost.django.urls")))
