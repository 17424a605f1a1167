"""Who may see the map: staff, as in Django's admin, whether that is installed or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache

View = Callable[[HttpRequest], HttpResponse]


def staff_page(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """A page for staff. Others are sent to log in; those who have and are no staff get a 403."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponseBase:
        user = _user(request)
        if is_staff(user):
            return view(request)
        login = admin_address("login")
        if user.is_authenticated and login is None:
            raise PermissionDenied("The map of signals is for staff only.")
        # The admin's login tells those who are no staff, and lets them log in as somebody else.
        back = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{resolve_url(login or settings.LOGIN_URL)}?{back}")

    return never_cache(checked)


def staff_data(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """What a page for staff fetches. Others get a 403, which a program understands."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponseBase:
        if is_staff(_user(request)):
            return view(request)
        return JsonResponse({"error": "Log in as staff."}, status=403)

    return never_cache(checked)


def is_staff(user: Any) -> bool:
    """Whether the user may see the map."""
    return bool(user.is_active and user.is_staff)


def admin_address(name: str) -> str | None:
    """Where a page of Django's admin is, or None where there is no admin."""
    if not apps.is_installed("django.contrib.admin"):
        return None
    try:
        return reverse(f"admin:{name}")
    except NoReverseMatch:
        return None


def _user(request: HttpRequest) -> Any:
    try:
        return request.user
    except AttributeError:
        raise ImproperlyConfigured(
            "The map of signals is for staff, and this project doesn't say who asks. Install "
            "'django.contrib.auth' and 'django.contrib.sessions', and add "
            "'django.contrib.sessions.middleware.SessionMiddleware' and "
            "'django.contrib.auth.middleware.AuthenticationMiddleware' to MIDDLEWARE."
        ) from None
