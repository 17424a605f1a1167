"""Workers: who they are, and when each was last heard of."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import DateTimeField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from signalpost.django.admin.rows import RowAdmin
from signalpost.django.models import Worker
from signalpost.django.stores import store_for

#: A worker tells every ten seconds that it lives. One that hasn't for so long is stopped or lost.
SILENT = timedelta(seconds=60)


class WorkerAdmin(RowAdmin):
    """The workers of a database."""

    ordering: ClassVar[Any] = ("name",)
    list_display: Any = (
        "name",
        "queues",
        "is_heard",
        "silence",
        "started_at",
        "version",
        "counts",
    )
    search_help_text: ClassVar[Any] = "A part of a name or of a host’s."
    readonly_fields: ClassVar[Any] = ("queues", "is_heard", "silence", "counts")
    fields: ClassVar[Any] = (
        "name",
        "host",
        "pid",
        "version",
        "queues",
        "started_at",
        "heartbeat_at",
        "is_heard",
        "silence",
        "counts",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        rows: QuerySet[Worker] = super().get_queryset(request)
        # By the clock that has stamped it.
        now: Any = RawSQL(store_for(self.using).now, (), output_field=DateTimeField())  # noqa: S611 - it stands in the store
        return rows.annotate(now=now)

    def found(self, rows: QuerySet[Worker], term: str) -> QuerySet[Worker]:
        return rows.filter(Q(name__contains=term) | Q(host__contains=term))

    @admin.display(description="queues")
    def queues(self, row: Any) -> str:
        return ", ".join(_parsed(row.lanes, [])) or "all"

    @admin.display(description="heard of", boolean=True)
    def is_heard(self, row: Any) -> bool:
        return _silence(row) < SILENT

    @admin.display(description="last heard of")
    def silence(self, row: Any) -> str:
        return f"{max(0, int(_silence(row).total_seconds())):,} s ago"

    @admin.display(description="since its start")
    def counts(self, row: Any) -> str:
        counts: dict[str, Any] = _parsed(row.stats, {})
        return ", ".join(f"{name} {value}" for name, value in counts.items())


def _silence(row: Any) -> timedelta:
    return row.now - row.heartbeat_at  # type: ignore[no-any-return]  # times


def _parsed(text: str, default: Any) -> Any:
    """What the JSON holds, or the default where it is none of its kind."""
    try:
        data = json.loads(text)
    except ValueError:
        return default
    return data if isinstance(data, type(default)) else default
