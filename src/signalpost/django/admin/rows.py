"""Rows of one database that are looked at, and never written, in lists that aren't counted to the end."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import is_aware, localtime

from signalpost.django.admin.map import map_address

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin = admin.ModelAdmin  # not generic at run time
    _Paginator = Paginator

#: How many rows a list counts, and leads to: counting a million takes a second and tells nobody much.
COUNTED = 10_000
#: How much of an error a list shows, and a page, in characters.
ERROR_IN_LIST, ERROR_IN_PAGE = 100, 4000


class BoundedPaginator(_Paginator):
    """Counts so far and no further."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or `COUNTED` where there are more."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED].count())


class RowAdmin(_ModelAdmin):
    """Shows the rows of one database."""

    #: The alias of the database.
    using: str = DEFAULT_DB_ALIAS
    ordering: ClassVar[Any] = ("-id",)
    paginator = BoundedPaginator
    show_full_result_count = False
    # Each facet is one more count of everything.
    show_facets = admin.ShowFacets.NEVER
    # Any other order would sort everything.
    sortable_by: ClassVar[Any] = ()
    list_per_page = 100
    # The search is our own, and this only has the box shown.
    search_fields: ClassVar[Any] = ("id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).using(self.using)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        # Nothing but the filters: with body__contains in the address whoever may see the list could
        # find out, letter by letter, what is in a payload.
        filters: Any = self.list_filter
        return lookup in {each.parameter_name for each in filters}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (self.found(queryset, term) if term else queryset), False

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """The rows that are looked for."""
        raise NotImplementedError

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {"counted": COUNTED, "map_address": map_address(), **(extra_context or {})}
        return super().changelist_view(request, more)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the user has one of our permissions."""
    user: Any = request.user
    return bool(user.has_perm(f"signalpost.{permission}"))


def as_uid(term: str) -> UUID | None:
    """The uid of a message that a user has typed, if it is one."""
    try:
        return UUID(term)
    except ValueError:
        return None


def as_number(term: str) -> int | None:
    """The number of a row that a user has typed, as ``#12`` or ``12``, if it is one."""
    digits = term.removeprefix("#")
    if not digits.isascii() or not digits.isdecimal():
        return None
    number = int(digits[:20])
    return number if number < 1 << 63 else None


def shortened(text: str, length: int) -> str:
    """The text, no longer than that."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def when(time: datetime | None) -> str:
    """The time, as Django writes short ones, in one line."""
    if time is None:
        return "-"
    text = date_format(localtime(time) if is_aware(time) else time, "SHORT_DATETIME_FORMAT")
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def preformatted(text: str) -> str:
    """The text as it stands, escaped."""
    return format_html("<pre>{}</pre>", text) if text else "-"
