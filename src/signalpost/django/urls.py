"""The addresses of the map: ``path("signalpost/", include("signalpost.django.urls"))``."""

from __future__ import annotations

from django.urls import URLPattern, path

from signalpost.django.mapping import views

app_name = "signalpost"

urlpatterns: list[URLPattern] = [
    path("", views.page, name="map"),
    path("data.json", views.data, name="data"),
    path("live.json", views.fired, name="live"),
]
