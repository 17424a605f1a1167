"""The addresses of a project with the map, and with the admin where a test installs it."""

from __future__ import annotations

from django.apps import apps
from django.urls import include, path

urlpatterns = [path("signalpost/", include("signalpost.django.urls"))]
if apps.is_installed("django.contrib.admin"):
    from django.contrib import admin

    urlpatterns.append(path("admin/", admin.site.urls))
