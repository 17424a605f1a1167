"""The stores that the contract is run on."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connections
from django.db.models import F, Q

from signalpost.django import models as tables
from signalpost.django.stores import store_for
from signalpost.django.stores.base import DatabaseStore
from signalpost.testing.memory import MemoryStore
from signalpost.testing.store_contract import Seen


class MemorySubject:
    """A store in memory, with a clock of its own."""

    refused: type[Exception] = ValueError

    def __init__(self) -> None:
        self.time = time.time()
        self.store = MemoryStore(lambda: self.time)

    def another(self, slots: int) -> MemoryStore:
        return MemoryStore(lambda: self.time, slots=slots, shared=self.store)

    def pass_time(self, seconds: float) -> None:
        self.time += seconds

    def rows(self) -> list[Seen]:
        rows = self.store.tables.rows.values()
        return [
            Seen(r.id, r.new.receiver, r.new.key, r.state, r.attempts, r.fence, r.last_error)
            for r in sorted(rows, key=lambda row: row.id)
        ]

    def change(self, id_: int, state: str | None) -> None:
        rows = self.store.tables.rows
        if state is None:
            del rows[id_]
        else:
            rows[id_].state, rows[id_].fence = state, rows[id_].fence + 1

    def pause(self, lane: str) -> None:
        self.store.tables.pauses.add(lane)

    def workers(self) -> list[str]:
        return list(self.store.tables.beats)

    def end_thread(self) -> None: ...


class DatabaseSubject:
    """A store in a database. Time passes by having all times be earlier."""

    refused: type[Exception] = IntegrityError

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.store: DatabaseStore = store_for(alias)

    def another(self, slots: int) -> DatabaseStore:
        return type(self.store)(self.alias, slots=slots)

    def pass_time(self, seconds: float) -> None:
        for model, field in (
            (tables.Delivery, "available_at"),
            (tables.Delivery, "lease_until"),
            (tables.Slot, "lease_until"),
        ):
            rows: Any = self._rows(model).exclude(**{field: None})
            rows.update(**{field: F(field) - timedelta(seconds=seconds)})

    def rows(self) -> list[Seen]:
        columns = (
            "id", "receiver", "ordering_key", "state", "attempts", "fence", "last_error"
        )  # fmt: skip
        rows = self._rows(tables.Delivery).order_by("id")
        return [Seen(*row) for row in rows.values_list(*columns)]

    def change(self, id_: int, state: str | None) -> None:
        rows = self._rows(tables.Delivery).filter(Q(id=id_))
        if state is None:
            rows._raw_delete(self.alias)
        else:
            rows.update(state=state, fence=F("fence") + 1)

    def pause(self, lane: str) -> None:
        from signalpost.django.operating.actions import pause

        pause(self.alias, lane)

    def workers(self) -> list[str]:
        return list(self._rows(tables.Worker).values_list("name", flat=True))

    def end_thread(self) -> None:
        connections.close_all()

    def _rows(self, model: Any) -> Any:
        return model._base_manager.using(self.alias)
