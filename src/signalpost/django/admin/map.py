"""The link to the map in the index of Django's admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps
from django.contrib import admin
from django.core.checks import CheckMessage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse

from signalpost.django.mapping.access import is_staff

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin  # not generic at run time


class _Options:
    """What the admin wants to know of a model, of one that has neither table nor migration."""

    app_label = "signalpost"
    object_name = "Map"
    model_name = "map"
    verbose_name = "map of signals"
    verbose_name_plural = "map of signals"
    label = "signalpost.Map"
    label_lower = "signalpost.map"
    abstract = False
    swapped = False
    is_composite_pk = False
    concrete_model = None

    @property
    def app_config(self) -> AppConfig:
        return apps.get_app_config(self.app_label)


class Map:
    """The entry in the admin's index."""

    _meta = _Options()


class MapAdmin(_ModelAdmin):
    """Leads to the map, where the project has it and the user may see it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="signalpost_map_changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("signalpost:map"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return map_address() is not None and is_staff(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return []


def map_address() -> str | None:
    """Where the map is, or None where the project has none."""
    try:
        return reverse("signalpost:map")
    except NoReverseMatch:
        return None
