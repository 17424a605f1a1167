"""The blog at the root, Django's admin under `admin/`, the map of signals under `signalpost/`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("signalpost/", include("signalpost.django.urls")),
    path("", include("blog.urls")),
]
