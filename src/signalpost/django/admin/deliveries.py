"""Deliveries: what each receiver is owed, what became of it, and having it run again or never."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from signalpost.delivery.execution import idempotency_key
from signalpost.delivery.store import BLOCKED, CANCELLED, CLAIMED, DEAD, DONE, READY
from signalpost.django.admin import tables
from signalpost.django.admin.choices import QueueChoice, ReceiverChoice, StateChoice
from signalpost.django.admin.operations import OperatingAdmin, Operation
from signalpost.django.admin.payloads import ShowsPayload
from signalpost.django.admin.rows import (
    ERROR_IN_LIST,
    ERROR_IN_PAGE,
    as_number,
    as_uid,
    may,
    preformatted,
    shortened,
    when,
)
from signalpost.django.models import Delivery
from signalpost.django.operating import actions
from signalpost.django.operating.actions import Selection

REQUEUE = Operation(
    name="requeue",
    verb="Requeue",
    past="Requeued",
    consequence="The receivers will be called again as soon as a worker is free, with all their attempts. "
    "What one had done before it failed, it may do twice.",
    states=(DEAD,),
    otherwise="only what is dead is requeued",
    run=lambda using, pk: actions.retry(using, Selection(ids=(pk,))),
    command="manage.py signalpost retry",
)
CANCEL = Operation(
    name="cancel",
    verb="Cancel",
    past="Cancelled",
    consequence="The receivers will not be called any more. What waits for one of them, with the same "
    "key, may run then.",
    states=(READY, BLOCKED, DEAD),
    otherwise="what is running can’t be cancelled, and what is cancelled or done is so already",
    run=lambda using, pk: actions.cancel(using, Selection(ids=(pk,))),
    command="manage.py signalpost cancel",
)

#: The order of a list that a state was chosen for, where the index of the state gives one for nothing:
#: what a worker takes first, whose lease ends first.
_ORDERS = {READY: ("lane", "slot", "available_at", "id"), CLAIMED: ("lease_until", "id")}


class DeliveryAdmin(ShowsPayload, OperatingAdmin):
    """What each receiver is owed."""

    operations: ClassVar[tuple[Operation, ...]] = (REQUEUE, CANCEL)
    actions: Any = ("requeue", "cancel")
    list_display: Any = (
        "number",
        "state",
        "receiver_shown",
        "error_in_list",
        "attempts_shown",
        "signal",
        "queue",
        "recorded_at",
        "due_at",
    )
    list_filter: ClassVar[Any] = (StateChoice, QueueChoice, ReceiverChoice)
    search_help_text: ClassVar[Any] = (
        "The uid of a message, a part of a receiver’s key, a whole ordering key, or #number."
    )
    readonly_fields: ClassVar[Any] = (
        "receiver_shown",
        "idempotency_key",
        "queue",
        "attempts_shown",
        "recorded_at",
        "due_at",
        "error_in_page",
        "waits_for",
        "message_uid",
        "message_link",
        "signal",
        "others",
        *ShowsPayload.payload_fields,
    )

    @admin.action(description="Requeue selected deliveries", permissions=["requeue"])
    def requeue(self, request: HttpRequest, rows: QuerySet[Delivery]) -> HttpResponse | None:
        return self.ask_for(request, REQUEUE, rows)

    @admin.action(description="Cancel selected deliveries", permissions=["cancel"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Delivery]) -> HttpResponse | None:
        return self.ask_for(request, CANCEL, rows)

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        return may(request, "requeue_delivery")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return may(request, "cancel_delivery")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = super().get_queryset(request)
        # The body is read where it is shown, one at a time and by who may see it.
        return rows.select_related("message").defer("message__body", "message__headers")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # By id, SQLite sorted a million of those that are ready in 0.6 s.
        return _ORDERS.get(request.GET.get("state", ""), ("-id",))

    def found(self, rows: QuerySet[Delivery], term: str) -> QuerySet[Delivery]:
        uid, number = as_uid(term), as_number(term)
        if uid is not None:
            return rows.filter(message__uid=uid)
        if term.startswith("#") and number is not None:
            return rows.filter(pk=number)
        return rows.filter(Q(receiver__contains=term) | Q(ordering_key=term))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        message = "message_link" if may(request, "view_message") else "message_uid"
        waits = ("waits_for",) if obj is not None and obj.state == BLOCKED else ()
        return [
            (
                None,
                {
                    "fields": (
                        "state",
                        *waits,
                        "receiver_shown",
                        "queue",
                        "ordering_key",
                        "attempts_shown",
                        "error_in_page",
                        "idempotency_key",
                    )
                },
            ),
            (
                "Times",
                {"fields": ("recorded_at", "due_at", "lease_until", "claimed_by", "settled_at")},
            ),
            ("Message", {"fields": (message, "signal", "others")}),
            *self.payload_fieldsets(request),
        ]

    def message_of(self, row: Any) -> Any:
        return row.message

    # ---------------------------------------------------------------------------------- columns

    @admin.display(description="#")
    def number(self, row: Any) -> str:
        return f"#{row.pk}"

    @admin.display(description="receiver")
    def receiver_shown(self, row: Any) -> str:
        return tables.receiver_name(row.receiver, row.message.topic)

    @admin.display(description="signal")
    def signal(self, row: Any) -> str:
        return tables.signal_link(row.message.topic)

    @admin.display(description="queue")
    def queue(self, row: Any) -> Any:
        return row.lane

    @admin.display(description="attempts")
    def attempts_shown(self, row: Any) -> str:
        return tables.attempts(row)

    @admin.display(description="recorded")
    def recorded_at(self, row: Any) -> str:
        return when(row.message.created_at)

    @admin.display(description="due")
    def due_at(self, row: Any) -> str:
        return when(row.available_at if row.state in (READY, BLOCKED) else None)

    @admin.display(description="last error")
    def error_in_list(self, row: Any) -> str:
        return shortened(row.last_error, ERROR_IN_LIST)

    # ----------------------------------------------------------------------------- on its page

    @admin.display(description="last error")
    def error_in_page(self, row: Any) -> str:
        return preformatted(shortened(row.last_error, ERROR_IN_PAGE))

    @admin.display(description="idempotency key")
    def idempotency_key(self, row: Any) -> str:
        return str(idempotency_key(row.message.uid, row.receiver))

    @admin.display(description="waits for")
    def waits_for(self, row: Any) -> str:
        earlier: Any = (
            Delivery._base_manager.using(self.using)
            .filter(receiver=row.receiver, ordering_key=row.ordering_key, id__lt=row.pk)
            .exclude(state__in=(DONE, CANCELLED, BLOCKED))
            .order_by("id")
            .first()
        )
        if earlier is None:
            return "-"
        return tables.link(self.admin_site, earlier, f"#{earlier.pk} ({earlier.state})")

    @admin.display(description="message")
    def message_uid(self, row: Any) -> str:
        return str(row.message.uid)

    @admin.display(description="message")
    def message_link(self, row: Any) -> str:
        return tables.link(self.admin_site, row.message, str(row.message.uid))

    @admin.display(description="its other deliveries")
    def others(self, row: Any) -> str:
        rows = Delivery._base_manager.using(self.using).filter(message_id=row.message_id)
        others = rows.exclude(pk=row.pk).order_by("id")
        return tables.as_table(self.admin_site, others, row.message.topic)
