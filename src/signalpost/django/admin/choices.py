"""What a list can be narrowed to, from filters that read an index and never the table.

What isn't among the choices can be had all the same, with its name in the address: ``?receiver=...``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest

from signalpost.delivery import receivers
from signalpost.delivery.store import BLOCKED, DEAD
from signalpost.dispatch.names import signal_name
from signalpost.django.models import Delivery
from signalpost.django.stores import store_for

#: The receivers of deliveries in one state: one step in the index for each, whatever its rows.
_RECEIVERS = """
WITH RECURSIVE found (receiver) AS (
    SELECT min(receiver) FROM signalpost_delivery WHERE state = {state}
    UNION ALL
    SELECT (SELECT min(d.receiver) FROM signalpost_delivery d
            WHERE d.receiver > found.receiver AND d.state = {state})
    FROM found WHERE found.receiver IS NOT NULL
)
SELECT receiver FROM found WHERE receiver IS NOT NULL LIMIT 200
"""
# As the condition of the index has it, spelled out: it isn't used for a parameter everywhere.
_STUCK = (
    _RECEIVERS.format(state=f"'{DEAD}'"),
    _RECEIVERS.format(state=f"'{BLOCKED}' AND ordering_key IS NOT NULL"),
)


class Choice(admin.SimpleListFilter):
    """Narrows a list to what has one value in a column."""

    #: The column, as the list's rows are asked for it.
    column: str

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.using: str = model_admin.using
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        found = dict(self.choices_of())
        chosen = self.value()
        if chosen:
            found.setdefault(chosen, chosen)
        # Without any there would be no filter, and so no narrowing by what the address says.
        return sorted(found.items()) or [("", "None known")]

    def choices_of(self) -> Iterable[tuple[str, str]]:
        """The values, each with what it is called."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if "\x00" in value:  # PostgreSQL has no such text, and says so with an error
            return queryset.none()
        return queryset.filter(**{self.column: value})


class StateChoice(Choice):
    title: Any = "state"
    parameter_name: Any = "state"
    column: str = "state"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().queryset(request, queryset)
        # What is blocked has a key, and the index has the blocked with a key only.
        return rows.filter(ordering_key__isnull=False) if self.value() == BLOCKED else rows

    def choices_of(self) -> Iterable[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Delivery.State.choices]


class QueueChoice(Choice):
    title: Any = "queue"
    parameter_name: Any = "queue"
    column: str = "lane"

    def choices_of(self) -> Iterable[tuple[str, str]]:
        store = store_for(self.using)
        paused = store.paused()
        known = {durable.options.queue for durable in receivers.known()}
        for queue in known | paused | set(store.lanes()):
            yield queue, f"{queue} (paused)" if queue in paused else queue


class ReceiverChoice(Choice):
    title: Any = "receiver"
    parameter_name: Any = "receiver"
    column: str = "receiver"

    def choices_of(self) -> Iterable[tuple[str, str]]:
        known = receivers.keys()
        for key in known | self._stuck():
            yield key, key if key in known else f"{key} (not connected here)"

    def _stuck(self) -> set[str]:
        """Whose deliveries are dead or wait for one that is."""
        found: set[str] = set()
        with connections[self.using].cursor() as cursor:
            for statement in _STUCK:
                cursor.execute(statement)
                found.update(receiver for (receiver,) in cursor.fetchall())
        return found


class SignalChoice(Choice):
    title: Any = "signal"
    parameter_name: Any = "signal"
    column: str = "topic"

    def choices_of(self) -> Iterable[tuple[str, str]]:
        names = {signal_name(durable.signal) for durable in receivers.known()}
        return [(name, name) for name in names]
