"""Durable delivery, on each database that it is for: SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from signalpost.django import models as tables
from signalpost.django.stores import store_for
from tests import services
from tests.delivery.connections import Connected
from tests.store.models import Customer, Order, PriorityOrder

ALIASES = ("file", "postgres", "mariadb")
# Those that refer to others first.
OWN = (tables.Delivery, tables.Message, tables.Slot, tables.Worker, tables.Pause)
MODELS = (*OWN, PriorityOrder, Order.tags.through, Order, Customer)


@pytest.fixture(params=ALIASES, ids=["sqlite", "postgresql", "mariadb"])
def database(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[str]:
    """The alias of a database whose tables are empty, and where the test commits for real."""
    alias = str(request.param)
    services.need(alias)
    with django_db_blocker.unblock():
        empty(alias)
        yield alias
        empty(alias)
        connections.close_all()


def empty(alias: str) -> None:
    """Delete all rows that the tests write. Django's flush takes 0.5 s; this, 10 ms."""
    for model in MODELS:
        rows = model._base_manager.using(alias)
        rows._raw_delete(alias)
    store_for(alias).noted.clear()


@pytest.fixture
def on() -> Iterator[Any]:
    """Connects receivers for one test: ``@on(signal, durable="key", using=database, ...)``."""
    connected = Connected()
    yield connected
    connected.close()
