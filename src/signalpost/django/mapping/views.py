"""The page of the map, and what it fetches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from signalpost import inspect
from signalpost.django.mapping.access import admin_address, staff_data, staff_page
from signalpost.django.mapping.content import by_app, map_data
from signalpost.django.mapping.live import live
from signalpost.django.mapping.quiet import keep_out_of_log
from signalpost.django.settings import configured

#: What `make frontend` builds; without it the page is a list.
BUNDLE = Path(__file__).parent.parent / "static" / "signalpost" / "map.js"


@require_safe
@staff_page
def page(request: HttpRequest) -> HttpResponse:
    """The map of all signals and receivers of this process. ``?list`` shows it as a list."""
    live.leave_out()
    apps = by_app(map_data(inspect.signals()))
    has_picture = BUNDLE.is_file()
    context: dict[str, Any] = {
        "apps": apps,
        "admin": admin_address("index"),
        "has_picture": has_picture,
        "as_list": not has_picture or "list" in request.GET,
        "live": live_is_shown(),
        "page_url": reverse("signalpost:map"),
        "data_url": reverse("signalpost:data"),
        "live_url": reverse("signalpost:live"),
        "signal_count": sum(len(app.signals) for app in apps),
        "receiver_count": sum(len(app.receivers) for app in apps),
    }
    return render(request, "signalpost/map.html", context)


@require_safe
@staff_data
def data(request: HttpRequest) -> HttpResponse:
    """The signals and receivers, as `manage.py signalpost list` has them, with their apps."""
    live.leave_out()
    return JsonResponse(map_data(inspect.signals()))


@require_safe
@staff_data
def fired(request: HttpRequest) -> HttpResponse:
    """What has fired since ``since``, the cursor that the last answer of this ``run`` gave."""
    if not live_is_shown():
        return JsonResponse({"error": "Live needs DEBUG, or MAP_LIVE in SIGNALPOST."}, status=404)
    keep_out_of_log(request.path)
    since = request.GET.get("since", "")[:20]
    return JsonResponse(
        live.poll(request.GET.get("run", ""), int(since) if since.isdecimal() else 0)
    )


def live_is_shown() -> bool:
    """Whether the map shows what fires: as ``MAP_LIVE`` says, or with ``DEBUG``."""
    wanted = configured("MAP_LIVE")
    return bool(settings.DEBUG if wanted is None else wanted)
