"""Messages: what was sent, what its receivers are still owed, and sending it to them once more."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from signalpost.delivery import receivers
from signalpost.dispatch.names import signal_name
from signalpost.django.admin import tables
from signalpost.django.admin.choices import SignalChoice
from signalpost.django.admin.operations import OperatingAdmin, Operation
from signalpost.django.admin.payloads import ShowsPayload
from signalpost.django.admin.rows import as_number, as_uid, may
from signalpost.django.models import Delivery, Message
from signalpost.django.operating import actions

REPLAY = Operation(
    name="replay",
    verb="Replay",
    past="Replayed",
    consequence="The durable receivers that are connected now will be called with what was sent then. "
    "What they did the first time they may do twice. Who isn’t finished with it, or failed, gets no "
    "second delivery: requeue that one.",
    states=None,
    otherwise="no receiver that is connected here wants it and isn’t owed it already",
    run=lambda using, pk: actions.replay(using, [pk]),
    command="manage.py signalpost replay",
)


class MessageAdmin(ShowsPayload, OperatingAdmin):
    """What was sent."""

    operations: ClassVar[tuple[Operation, ...]] = (REPLAY,)
    actions: Any = ("replay",)
    list_display: Any = (
        "uid",
        "topic_shown",
        "ordering_key",
        "created_at",
        "owed_in_words",
    )
    list_filter: ClassVar[Any] = (SignalChoice,)
    search_help_text: ClassVar[Any] = "The uid, the whole name of a signal or a whole ordering key."
    readonly_fields: ClassVar[Any] = (
        "topic_shown",
        "owed_in_words",
        "owed_in_table",
        *ShowsPayload.payload_fields,
    )

    @admin.action(description="Replay selected messages", permissions=["replay"])
    def replay(self, request: HttpRequest, rows: QuerySet[Message]) -> HttpResponse | None:
        return self.ask_for(request, REPLAY, rows)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return may(request, "replay_message")

    def notes(self, operation: Operation, rows: list[Any]) -> list[str]:
        topics = {row.topic for row in rows}
        known = sorted(d.key for d in receivers.known() if signal_name(d.signal) in topics)
        return [f"Connected here: {', '.join(known)}." if known else "None is connected here."]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        rows: QuerySet[Message] = super().get_queryset(request)
        owed = Delivery._base_manager.using(self.using).order_by("id")
        return rows.defer("body", "headers").prefetch_related(Prefetch("deliveries", owed))

    def found(self, rows: QuerySet[Message], term: str) -> QuerySet[Message]:
        uid, number = as_uid(term), as_number(term)
        if uid is not None:
            return rows.filter(uid=uid)
        if term.startswith("#") and number is not None:
            return rows.filter(deliveries=number)
        return rows.filter(Q(topic=term) | Q(ordering_key=term))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        owed = "owed_in_table" if may(request, "view_delivery") else "owed_in_words"
        fields = ("uid", "topic_shown", "ordering_key", "created_at", owed)
        return [(None, {"fields": fields}), *self.payload_fieldsets(request)]

    def message_of(self, row: Any) -> Any:
        return row

    @admin.display(description="signal")
    def topic_shown(self, row: Any) -> str:
        return tables.signal_link(row.topic)

    @admin.display(description="unfinished deliveries")
    def owed_in_words(self, row: Any) -> str:
        return tables.in_words(row.deliveries.all())

    @admin.display(description="unfinished deliveries")
    def owed_in_table(self, row: Any) -> str:
        return tables.as_table(self.admin_site, row.deliveries.all(), row.topic)
