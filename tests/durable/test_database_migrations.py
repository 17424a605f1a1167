"""A migration of the tables, which are full, while a worker runs: nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections, models, transaction

from signalpost import Signal
from signalpost.delivery.worker import Settings
from signalpost.django.models import Delivery, Message
from tests.durable.workers import DEADLINE, affect, effects, rows, until, working

paid = Signal(name="tests.migrations.paid")
halt = Signal(name="tests.migrations.halt")

#: How many deliveries are settled beside each step of it, and no more.
PART = 800
BATCH = 100
#: MariaDB's.
LOCK_TIMEOUT = 1205

INDEXES = {
    Delivery: models.Index(fields=["fence", "attempts"], name="tests_added_delivery"),
    Message: models.Index(fields=["topic", "created_at"], name="tests_added_message"),
}


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


def added(model: type[models.Model]) -> Any:
    """A column that is filled where there are rows, and that those who don't know it leave alone."""
    field: Any = models.IntegerField(db_default=7)
    field.set_attributes_from_name("added")
    field.model = model
    return field


def schema(database: str) -> Any:
    """What there is of the tables: their columns and indexes."""
    connection = connections[database]
    found = []
    with connection.cursor() as cursor:
        for model in (Delivery, Message):
            table = model._meta.db_table
            columns = connection.introspection.get_table_description(cursor, table)
            indexes = connection.introspection.get_constraints(cursor, table)
            found.append(({column.name for column in columns}, sorted(indexes)))
    return found


def steps(database: str) -> Iterator[None]:
    """Change both tables, then have them as they were."""
    for model, index in INDEXES.items():
        change(database, lambda editor, of=model: editor.add_field(of, added(of)))
        change(database, lambda editor, of=model, to_add=index: editor.add_index(of, to_add))
        yield
    assert all("added" in columns for columns, _ in schema(database))
    for model, index in INDEXES.items():
        change(database, lambda editor, of=model, to_end=index: editor.remove_index(of, to_end))
        change(database, lambda editor, of=model: editor.remove_field(of, added(of)))
        yield


def change(database: str, operation: Callable[[Any], None]) -> None:
    """Make the change, as whoever runs the migration again where it was refused.

    On MariaDB it may wait for the lock of a claim, which waits for the change: neither sees that.
    """
    connection = connections[database]
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
    while True:
        try:
            with connection.schema_editor() as editor:
                operation(editor)
        except OperationalError as error:
            if error.args[0] != LOCK_TIMEOUT:
                raise
        else:
            return


@pytest.mark.once
def test_migration_of_full_tables_while_a_worker_runs_loses_nothing(database: str, on: Any) -> None:
    on(paid, durable="tests.migrated", using=database, atomic=True)(
        lambda number, **kwargs: affect(database, number)
    )
    migrated = [threading.Event() for _ in range(4)]

    @on(halt, durable="tests.halts", using=database)
    def wait(place: int, **kwargs: Any) -> None:
        assert migrated[place].wait(DEADLINE)

    before = schema(database)
    for place in range(4):
        send(database, *range(place * PART, (place + 1) * PART))
        halt.send(None, place=place)
    with working(database, settings=Settings(poll=(0.005, 0.02), batch=BATCH)):
        until(lambda: effects(database))
        for place, _ in enumerate(steps(database)):
            left = Delivery.objects.using(database).count()
            assert left > (3 - place) * PART - (BATCH if place < 3 else 0)
            send(database, 4 * PART + place)  # while there is, or was, more to a row
            migrated[place].set()
        until(lambda: not rows(database))
    assert sorted(effects(database)) == list(range(4 * PART + 4))
    assert schema(database) == before
