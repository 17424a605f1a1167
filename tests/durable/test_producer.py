"""The producer's cases: a delivery is recorded if and only if the sender's transaction commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.db.utils import DatabaseError
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from signalpost import Signal
from signalpost.exceptions import RecordingError
from signalpost.testing import drain
from tests.delivery.connections import run_async
from tests.durable import rows
from tests.durable.conftest import empty
from tests.store.models import Customer, Order

paid = Signal(name="tests.producer.paid")


@pytest.fixture
def note(database: str, on: Any) -> list[Any]:
    """The numbers that the receiver was run with."""
    seen: list[Any] = []

    @on(paid, durable="tests.note", using=database, weak=False)
    def note(number: Any, **kwargs: Any) -> None:
        seen.append(number)

    return seen


def add(database: str, number: Any, **kwargs: Any) -> None:
    """A business row, and the signal that tells of it."""
    Customer.objects.using(database).create(name=str(number))
    paid.send(sender=None, number=number)


def recorded(database: str) -> list[str]:
    """The numbers that were recorded; each has its business row, and each row its number."""
    named = [message.body for message in rows.messages(database)]
    numbers = sorted(body.partition('"number":')[2].partition("}")[0] for body in named)
    assert numbers == sorted(each.name for each in Customer.objects.using(database).all())
    assert len(rows.deliveries(database)) == len(numbers)
    return numbers


# ---------------------------------------------------------------------------------------- rollback


def test_rollback_of_the_outer_atomic_records_nothing(database: str, note: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=database):
        add(database, 1)
        with transaction.atomic(using=database):
            add(database, 2)
        raise ZeroDivisionError

    assert recorded(database) == []


def test_rollback_of_the_inner_atomic_records_the_rest(database: str, note: Any) -> None:
    with transaction.atomic(using=database):
        add(database, 1)
        with suppress(ZeroDivisionError), transaction.atomic(using=database):
            add(database, 2)
            raise ZeroDivisionError
        add(database, 3)

    assert recorded(database) == ["1", "3"]


# Django 6.1 deprecates the shorter name.
make_savepoint: Any = getattr(transaction, "savepoint_create", None) or transaction.savepoint


def test_rollback_to_a_savepoint_records_the_rest(database: str, note: Any) -> None:
    with transaction.atomic(using=database):
        add(database, 1)
        savepoint = make_savepoint(using=database)
        add(database, 2)
        transaction.savepoint_rollback(savepoint, using=database)
        add(database, 3)
        savepoint = make_savepoint(using=database)
        add(database, 4)
        transaction.savepoint_commit(savepoint, using=database)

    assert recorded(database) == ["1", "3", "4"]


def test_rollback_of_a_block_that_was_marked_records_nothing(database: str, note: Any) -> None:
    with transaction.atomic(using=database):
        add(database, 1)
        transaction.set_rollback(True, using=database)

    assert recorded(database) == []


def test_database_error_in_the_block_records_nothing(database: str, note: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(using=database):
        add(database, 1)
        add(database, 1)  # the name is taken

    assert recorded(database) == []


def test_manual_transaction_records_as_far_as_it_is_committed(database: str, note: Any) -> None:
    connection = connections[database]
    connection.set_autocommit(False)
    try:
        add(database, 1)
        connection.rollback()
        add(database, 2)
        connection.commit()
    finally:
        connection.rollback()
        connection.set_autocommit(True)

    assert recorded(database) == ["2"]


# ------------------------------------------------------------------------------- where it is sent


def test_send_outside_of_atomic_is_recorded_at_once(database: str, note: Any) -> None:
    add(database, 1)

    assert recorded(database) == ["1"]
    assert drain(database).done == 1
    assert note == [1]


def pay(request: Any, number: int) -> HttpResponse:
    add(request.headers["database"], number)
    if number < 0:
        raise ZeroDivisionError
    return HttpResponse()


async def pay_async(request: Any, number: int) -> HttpResponse:
    database = request.headers["database"]
    await Customer.objects.using(database).acreate(name=str(number))
    await paid.asend(sender=None, number=number)
    return HttpResponse()


async def pay_in_a_block(request: Any, number: int) -> HttpResponse:
    """As an async view writes in a transaction: Django has none that could be awaited in."""
    in_block = transaction.atomic(using=request.headers["database"])(pay)
    return await sync_to_async(in_block)(request, number)


async def fail_in_a_block(request: Any, number: int) -> HttpResponse:
    return await pay_in_a_block(request, -number)


urlpatterns = [path("pay/<int:number>", pay), path("fail/<int:number>", lambda r, number: pay(r, -number)),
               path("apay/<int:number>", pay_async), path("block/<int:number>", pay_in_a_block),
               path("afail/<int:number>", fail_in_a_block)]  # fmt: skip


@pytest.fixture
def atomic_requests(database: str, settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = __name__
    connections[database].settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connections[database].settings_dict["ATOMIC_REQUESTS"] = False


@pytest.mark.usefixtures("atomic_requests")
def test_atomic_requests_record_what_the_view_commits(database: str, note: Any) -> None:
    client = Client(headers={"database": database}, raise_request_exception=False)

    assert client.get("/pay/1").status_code == 200
    assert client.get("/fail/2").status_code == 500

    assert recorded(database) == ["1"]


def statuses(database: str, *addresses: str) -> list[int]:
    """What async views answer."""

    async def get() -> list[int]:
        client, headers = AsyncClient(raise_request_exception=False), {"database": database}
        return [(await client.get(address, headers=headers)).status_code for address in addresses]

    found: list[int] = run_async(get())
    return found


def test_async_view_records(database: str, note: Any, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__

    assert statuses(database, "/apay/1") == [200]
    assert recorded(database) == ["1"]


def test_async_view_records_what_its_block_commits_and_nothing_of_one_that_fails(
    database: str, note: Any, settings: Any
) -> None:
    settings.ROOT_URLCONF = __name__

    assert statuses(database, "/afail/1", "/block/2") == [500, 200]
    assert recorded(database) == ["2"]
    drain(database)
    assert note == [2]


# --------------------------------------------------------------------------------- alias mismatch


def test_alias_mismatch_is_refused(database: str, on: Any) -> None:
    @on(paid, durable="tests.note")
    def receive(**kwargs: Any) -> None: ...

    with transaction.atomic(using=database):
        with pytest.raises(RecordingError) as caught:
            paid.send(sender=None, number=1)
        Customer.objects.using(database).create(name="ada")

    assert str(caught.value) == (
        "Cannot record signal 'tests.producer.paid' for durable receiver 'tests.durable.test_producer."
        "test_alias_mismatch_is_refused.<locals>.receive': a transaction is open on database "
        f"'{database}', but the signal doesn't say which database it is about, and 'default' would keep "
        "the delivery whatever becomes of the transaction. Send it with "
        f"using='{database}', or connect the receiver with that."
    )
    assert rows.messages(database) == []
    assert Customer.objects.using(database).count() == 1


def test_alias_that_the_signal_sends_is_the_one_that_is_written_to(database: str, on: Any) -> None:
    @on(paid, durable="tests.note")
    def receive(**kwargs: Any) -> None: ...

    with suppress(ZeroDivisionError), transaction.atomic(using=database):
        paid.send(sender=None, number=1, using=database)
        raise ZeroDivisionError
    assert rows.messages(database) == []

    paid.send(sender=None, number=2, using=database)
    assert len(rows.messages(database)) == 1


def test_open_transaction_on_default_records_in_default(database: str, on: Any) -> None:
    @on(paid, durable="tests.note")
    def receive(**kwargs: Any) -> None: ...

    empty("default")
    try:
        with transaction.atomic(using=database), transaction.atomic():
            paid.send(sender=None, number=1)
        assert rows.messages(database) == []
        assert len(rows.messages("default")) == 1
    finally:
        empty("default")


# ------------------------------------------------------------------- payloads that can't be stored


class Recursive:
    pass


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (object(), "argument 'number' can't be stored: a builtins.object isn't stored."),
        (float("nan"), "argument 'number' can't be stored: nan is no number in JSON."),
        ([1, {"a": "\ud800"}], "argument 'number[1]['a']' can't be stored: it holds half of a"),
        (
            "x" * 10_000_000,
            "A message of 10,000,053 bytes is longer than 262,144 bytes. Its largest",
        ),
    ],
    ids=["object", "nan", "surrogate", "10 MB"],
)
def test_payload_that_cannot_be_stored_names_its_argument_and_leaves_the_transaction_usable(
    database: str, note: Any, value: Any, problem: str
) -> None:
    with transaction.atomic(using=database):
        add(database, 1)
        with pytest.raises(RecordingError) as caught:
            paid.send(sender=None, number=value, other="small")
        add(database, 2)

    assert problem in str(caught.value)
    if "longer" in problem:
        assert "Its largest argument is 'number'." in str(caught.value)
    assert len(str(caught.value)) < 600
    assert recorded(database) == ["1", "2"]


def test_payload_that_cannot_be_stored_writes_nothing_outside_of_atomic(
    database: str, note: Any
) -> None:
    with pytest.raises(RecordingError):
        paid.send(sender=None, number=float("inf"))

    assert recorded(database) == []


@pytest.mark.parametrize(
    "value", ["\x00", "a\x00b", ["\x00", {"a\x00": ("\x00",)}]], ids=["alone", "inside", "nested"]
)
def test_nul_in_a_payload_is_stored_escaped_and_comes_back(
    database: str, note: Any, value: Any
) -> None:
    # PostgreSQL's text can't hold one.
    paid.send(sender="\x00", number=value)
    [message] = rows.messages(database)
    drain(database)

    assert "\\u0000" in message.body
    assert "\x00" not in message.body
    assert note == [value]


def test_payload_as_long_as_the_limit_is_stored(database: str, note: Any, settings: Any) -> None:
    settings.SIGNALPOST = {"PAYLOAD_LIMIT": 1024}
    size = 1024 - len('{"named":{"number":""},"sender":null}')

    paid.send(sender=None, number="x" * size)
    with pytest.raises(RecordingError, match="A message of 1,025 bytes is longer than 1,024 bytes"):
        paid.send(sender=None, number="x" * (size + 1))

    drain(database)
    assert note == ["x" * size]


def test_message_of_a_megabyte_is_stored_where_the_limit_lets_it(
    database: str, note: Any, settings: Any
) -> None:
    settings.SIGNALPOST = {"PAYLOAD_LIMIT": 4_000_000}

    paid.send(sender=None, number="é" * 500_000)
    drain(database)

    assert note == ["é" * 500_000]


def test_sender_that_cannot_be_stored_is_named(database: str, note: Any) -> None:
    with pytest.raises(RecordingError, match="argument 'sender' can't be stored"):
        paid.send(sender=object(), number=1)
    with pytest.raises(RecordingError, match="Its largest argument is 'sender'"):
        paid.send(sender="x" * 300_000, number=1)

    assert recorded(database) == []


def test_argument_that_every_receiver_is_passed_is_refused(database: str, note: Any) -> None:
    with pytest.raises(RecordingError, match="argument 'signal' can't be stored: each receiver is"):
        paid.send(sender=None, number=1, **{"signal": 5})

    assert recorded(database) == []


def test_instance_is_as_it_is_when_it_is_delivered(database: str, note: Any) -> None:
    order = Order.objects.using(database).create(status="open")
    paid.send(sender=Order, number=order)
    Order.objects.using(database).update(status="paid")
    drain(database)

    assert [each.status for each in note] == ["paid"]


# --------------------------------------------------------------------------- signals and databases


def test_signal_without_a_name_is_refused_at_the_send(database: str, on: Any) -> None:
    nameless = [Signal()]

    @on(nameless[0], durable="tests.note", using=database)
    def receive(**kwargs: Any) -> None: ...

    with transaction.atomic(using=database):
        with pytest.raises(RecordingError) as caught:
            nameless[0].send(sender=None)
        Customer.objects.using(database).create(name="ada")

    assert "has no name that its deliveries could be stored under. Bind it to a variable" in str(
        caught.value
    )
    assert rows.messages(database) == []


def test_signal_of_a_long_name_is_refused_when_it_is_connected() -> None:
    from signalpost.exceptions import ReceiverError

    with pytest.raises(ReceiverError, match="its signal's name has 256 characters, and 255 are"):
        Signal(name="x" * 256).connect(add, durable="tests.note")


def test_database_without_the_tables_is_named(database: str, note: Any) -> None:
    connection = connections[database]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE signalpost_message RENAME TO signalpost_message_away")
    try:
        with pytest.raises(RecordingError) as caught:
            paid.send(sender=None, number=1)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE signalpost_message_away RENAME TO signalpost_message")

    assert str(caught.value) == (
        f"Database '{database}' has no tables for durable deliveries. Make them: manage.py migrate "
        f"signalpost --database {database}."
    )


def test_other_database_errors_are_djangos(database: str, note: Any) -> None:
    with transaction.atomic(using=database):
        transaction.set_rollback(True, using=database)
        with pytest.raises(transaction.TransactionManagementError):
            paid.send(sender=None, number=1)


@pytest.mark.parametrize("database", ["postgres"], indirect=True, ids=["postgresql"])
def test_workers_are_told_once_for_each_transaction(note: Any, database: str) -> None:
    with transaction.atomic(using=database):
        paid.send(sender=None, number=1)
        with transaction.atomic(using=database):
            paid.send(sender=None, number=2)
        paid.send(sender=None, number=3)
        assert len(connections[database].run_on_commit) == 1
