"""What a send records, however its durable receivers are connected and however it is sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections, transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.test.utils import CaptureQueriesContext

import signalpost
from signalpost import Signal, mute
from signalpost.django.signals import post_bulk_create, post_update
from signalpost.exceptions import RecordingError
from signalpost.testing import capture, drain
from tests.delivery.connections import run_async
from tests.durable import rows
from tests.store.models import Customer, Item, Order, OrderProxy, PriorityOrder

paid = Signal(name="tests.recording.paid")


@signalpost.signal
def typed(sender: Any, *, order: int, note: str = "none") -> None: ...


declared = Signal(providing_args=["order", "note"], name="tests.recording.declared")


@pytest.fixture
def second(database: str) -> Any:
    """The alias of another database with the tables."""
    from tests.durable.conftest import empty

    empty("default")
    yield "default"
    empty("default")


class Seen(list[Any]):
    """Makes receivers that note what they get."""

    def receiver(self, name: str = "note") -> Any:
        def note(**kwargs: Any) -> None:
            self.append((name, kwargs))

        return note

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def connect(on: Any, seen: Seen) -> Any:
    """Connects a receiver that notes what it gets, under a key."""

    def connect(signal: Any, name: str, **options: Any) -> Any:
        return on(signal, durable=name, weak=False, **options)(seen.receiver(name))

    return connect


# ------------------------------------------------------------------------------- several receivers


def test_receivers_of_one_send_share_one_message(database: str, connect: Any) -> None:
    for key in ("a", "b", "c"):
        connect(paid, key, using=database)

    paid.send(sender=None, number=1)

    [message] = rows.messages(database)
    assert rows.receivers(database) == ["a", "b", "c"]
    assert {row.message_id for row in rows.deliveries(database)} == {message.pk}
    assert message.topic == "tests.recording.paid"
    assert message.body == '{"named":{"number":1},"sender":null}'


#: The statements that one send takes in a transaction, for any number of receivers.
QUERIES = {"file": 2, "postgres": 1, "mariadb": 2}


@pytest.mark.parametrize("count", [1, 5])
def test_recording_takes_the_same_few_queries_for_any_number_of_receivers(
    database: str, connect: Any, count: int
) -> None:
    for number in range(count):
        connect(paid, f"receiver {number}", using=database)

    with (
        transaction.atomic(using=database),
        CaptureQueriesContext(connections[database]) as queries,
    ):
        paid.send(sender=None, number=1)

    assert [query["sql"].split()[0] for query in queries] == (
        ["WITH"] if database == "postgres" else ["INSERT", "INSERT"]
    )
    assert len(queries) == QUERIES[database]
    assert len(rows.deliveries(database)) == count


def test_send_without_durable_receivers_takes_no_query(database: str, on: Any) -> None:
    @on(paid)
    def plain(**kwargs: Any) -> None: ...

    with CaptureQueriesContext(connections[database]) as queries:
        paid.send(sender=None, number=1)

    assert len(queries) == 0


def test_each_database_of_a_send_has_its_own_message(
    database: str, second: str, connect: Any
) -> None:
    connect(paid, "a", using=database)
    connect(paid, "b", using=second)
    connect(paid, "c", using=database)

    paid.send(sender=None, number=1)

    assert rows.receivers(database) == ["a", "c"]
    assert rows.receivers(second) == ["b"]
    assert len(rows.messages(database)) == len(rows.messages(second)) == 1


def test_fault_of_one_database_records_nothing_twice_in_the_other(
    database: str, second: str, connect: Any
) -> None:
    connect(paid, "a", using=database)
    connect(paid, "b", using="nowhere")
    connect(paid, "c", using=database)
    connect(paid, "d", using=second)

    outcomes = paid.send_robust(sender=None, number=1)

    assert [type(response) for _, response in outcomes] == [
        type(None),
        RecordingError,
        type(None),
        type(None),
    ]
    assert rows.receivers(database) == ["a", "c"]
    assert rows.receivers(second) == ["d"]


def test_receivers_after_the_first_that_raises_are_recorded_with_it(
    database: str, on: Any, connect: Any
) -> None:
    # They are written together, by the first whose turn comes: in `send` the transaction, which the
    # error ends, takes them back.
    connect(paid, "a", using=database)

    @on(paid)
    def fails(**kwargs: Any) -> None:
        raise ZeroDivisionError

    connect(paid, "b", using=database)

    with pytest.raises(ZeroDivisionError), transaction.atomic(using=database):
        paid.send(sender=None)
    assert rows.messages(database) == []

    paid.send_robust(sender=None)
    assert rows.receivers(database) == ["a", "b"]


def test_key_that_fails_is_told_of_its_own_receiver(database: str, connect: Any) -> None:
    connect(paid, "a", using=database)
    connect(paid, "b", using=database, key="missing")
    connect(paid, "c", using=database)

    (_, first), (_, failure), (_, third) = paid.send_robust(sender=None, number=1)

    assert (first, third) == (None, None)
    assert "key='missing' of '" in str(failure)
    assert rows.receivers(database) == ["a", "c"]


def test_payload_that_fails_is_told_of_each_receiver(database: str, connect: Any) -> None:
    first = connect(paid, "a", using=database)
    connect(paid, "b", using=database)

    with pytest.raises(RecordingError) as caught:
        paid.send(sender=None, number=object())
    outcomes = paid.send_robust(sender=None, number=object())

    assert str(caught.value).startswith(
        "Cannot record signal 'tests.recording.paid' for durable receiver "
        f"'{first.__module__}.{first.__qualname__}': argument 'number' can't be stored: "
    )
    assert [type(response) for _, response in outcomes] == [RecordingError, RecordingError]
    assert rows.messages(database) == []


def test_receiver_that_is_connected_twice_is_owed_one_delivery(
    database: str, on: Any, seen: Seen
) -> None:
    note = seen.receiver()
    for options in ({}, {"sender": Order}, {"dispatch_uid": "again"}):
        paid.connect(note, durable="note", using=database, **options)
    try:
        paid.send(sender=Order, number=1)

        assert rows.receivers(database) == ["note"]
        assert drain(database).done == 1
        assert len(seen) == 1
    finally:
        paid.disconnect(note)
        paid.disconnect(note, sender=Order)
        paid.disconnect(dispatch_uid="again")


def test_receiver_of_several_signals_is_owed_one_of_each(
    database: str, on: Any, seen: Seen
) -> None:
    other = Signal(name="tests.recording.other")

    @on([paid, other], durable="note", using=database)
    def note(signal: Any, **kwargs: Any) -> None:
        seen.append(signal)

    on._made[:] = [(paid, note, None), (other, note, None)]
    paid.send(sender=None)
    other.send(sender=None)
    drain(database)

    assert seen == [paid, other]


def test_durable_receivers_run_beside_others_in_their_order(
    database: str, on: Any, connect: Any, seen: Seen
) -> None:
    connect(paid, "durable", using=database, priority=5)
    on(paid, priority=10)(seen.receiver("plain"))  # first, and gone: referred to weakly

    @on(paid)
    def plain(**kwargs: Any) -> str:
        return f"{len(rows.messages(database))} message"

    outcomes = paid.send(sender=None)

    assert [response for _, response in outcomes][-2:] == [None, "1 message"]


# --------------------------------------------------------------------------------- ways of sending


def test_each_way_of_sending_records(database: str, connect: Any) -> None:
    connect(paid, "note", using=database)

    paid.send(sender=None, number=1)
    paid.send_robust(sender=None, number=2)
    paid.send_all(sender=None, number=3)

    async def send() -> None:
        await paid.asend(sender=None, number=4)
        await paid.asend_robust(sender=None, number=5)
        await paid.asend_all(sender=None, number=6)

    run_async(send())

    bodies = [message.body for message in rows.messages(database)]
    assert bodies == [f'{{"named":{{"number":{n}}},"sender":null}}' for n in range(1, 7)]


def test_send_on_commit_records_after_the_commit(database: str, connect: Any) -> None:
    connect(paid, "note")

    with transaction.atomic(using=database):
        paid.send_on_commit(sender=None, using=database)
        assert rows.messages(database) == []

    assert rows.receivers(database) == ["note"]


def test_async_receiver_is_recorded_by_a_sync_send(database: str, on: Any) -> None:
    ran: list[int] = []

    @on(paid, durable="note", using=database)
    async def note(number: int, **kwargs: Any) -> None:
        ran.append(number)

    assert paid.send(sender=None, number=1) == [(note, None)]
    assert ran == []
    drain(database)
    assert ran == [1]


def test_sync_send_in_a_running_loop_is_djangos_error(database: str, connect: Any) -> None:
    connect(paid, "note", using=database)

    async def send() -> None:
        paid.send(sender=None)

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(send())
    assert rows.messages(database) == []


def test_asend_records_in_the_transaction_of_the_sync_thread(database: str, connect: Any) -> None:
    connect(paid, "note", using=database)

    async def send(fails: bool) -> None:
        block = transaction.atomic(using=database)
        await sync_to_async(block.__enter__)()
        await paid.asend(sender=None)
        error = (ZeroDivisionError, ZeroDivisionError(), None) if fails else (None, None, None)
        await sync_to_async(block.__exit__)(*error)

    run_async(send(fails=True))
    assert rows.messages(database) == []
    run_async(send(fails=False))
    assert len(rows.messages(database)) == 1


# -------------------------------------------------------------------------- conditions and others


def test_conditions_are_asked_at_the_send_and_once(database: str, connect: Any) -> None:
    asked: list[int] = []

    def is_big(number: int) -> bool:
        asked.append(number)
        return number > 1

    connect(paid, "big", using=database, when=is_big)
    connect(paid, "all", using=database)

    paid.send(sender=None, number=1)
    paid.send(sender=None, number=2)

    assert asked == [1, 2]
    assert rows.receivers(database) == ["all", "big", "all"]
    drain(database)
    assert asked == [1, 2]


def test_condition_that_raises_is_told_of_its_own_receiver(database: str, connect: Any) -> None:
    connect(paid, "a", using=database)
    connect(paid, "b", using=database, when=lambda number: 1 / number)

    with pytest.raises(ZeroDivisionError):
        paid.send(sender=None, number=0)

    assert rows.receivers(database) == ["a"]


def test_raw_saves_are_not_recorded_where_they_are_skipped(database: str, connect: Any) -> None:
    connect(post_save, "note", sender=Order, skip_raw=True)

    order = Order(pk=5)
    order.save_base(raw=True, using=database)
    order.save(using=database)

    assert len(rows.messages(database)) == 1


def test_changes_of_fields_are_stored_for_their_receiver(
    database: str, connect: Any, seen: Seen
) -> None:
    connect(post_save, "status", sender=Order, fields=["status", "invoice"])
    connect(post_save, "total", sender=Order, fields=["total"])
    order = Order.objects.using(database).create()
    drain(database)
    seen.clear()

    order.status, order.invoice = "paid", "bill.pdf"
    order.save()
    order.status = "sent"  # what has changed since must not show
    drain(database)

    assert seen.names == ["status"]
    changes = seen[0][1]["changes"]
    assert changes["status"] == ("open", "paid")
    assert changes["invoice"].new == "bill.pdf"


def test_changes_that_cannot_be_stored_are_told_of_their_receiver(
    database: str, connect: Any
) -> None:
    connect(paid, "a", using=database)

    connect(paid, "b", using=database)
    paid._registry.entries()[1].rules.preparations.append(_add_what_cannot_be_stored)

    (_, first), (_, second) = paid.send_robust(sender=None, number=1)

    assert first is None
    assert "argument 'changes' can't be stored" in str(second)
    assert rows.receivers(database) == ["a"]


def _add_what_cannot_be_stored(call: Any) -> None:
    call.added["changes"] = object()


def test_subclasses_of_the_sender_are_recorded(database: str, connect: Any, seen: Seen) -> None:
    connect(post_save, "note", sender=Order, subclasses=True)

    OrderProxy(status="proxy").save(using=database)
    drain(database)

    assert [kwargs["sender"] for _, kwargs in seen] == [OrderProxy]
    assert type(seen[0][1]["instance"]) is OrderProxy


def test_each_object_of_a_bulk_write_is_recorded(database: str, connect: Any, seen: Seen) -> None:
    connect(post_save, "note", sender=Item, bulk=True)

    Item.objects.using(database).bulk_create([Item(name="a"), Item(name="b")])
    drain(database)

    created = [kwargs for _, kwargs in seen if kwargs["created"]]
    assert sorted(each["instance"].name for each in created) == ["a", "b"]
    Item.objects.using(database).all().delete()


def test_bulk_writes_are_recorded_without_their_queryset(
    database: str, on: Any, seen: Seen
) -> None:
    @on(post_update, durable="note", sender=Item)
    def note(keys: Any, values: Any, rows: int, queryset: Any, using: str) -> None:
        seen.append((sorted(keys), values, rows, queryset, using))

    item = Item.objects.using(database).create(name="a")
    Item.objects.using(database).update(stock=5)
    drain(database)

    assert seen == [([item.pk], {"stock": 5}, 1, None, database)]
    Item.objects.using(database).all().delete()


def test_objects_of_a_bulk_create_are_stored_by_reference(
    database: str, on: Any, seen: Seen
) -> None:
    @on(post_bulk_create, durable="note", sender=Item)
    def note(objs: Any) -> None:
        seen.append([each.name for each in objs])

    Item.objects.using(database).bulk_create([Item(name="a"), Item(name="b")])
    drain(database)

    assert seen == [["a", "b"]]
    Item.objects.using(database).all().delete()


def test_method_of_an_object_is_delivered_to(database: str, seen: Seen) -> None:
    class Service:
        def note(self, number: int, **kwargs: Any) -> None:
            seen.append(number)

    service = Service()
    paid.connect(service.note, durable="note", using=database)
    paid.send(sender=None, number=5)
    drain(database)
    assert seen == [5]

    paid.send(sender=None, number=6)
    del service
    assert drain(database, raises=False).errors[0].startswith("No receiver 'note' is connected")  # type: ignore[union-attr]
    paid.send(sender=None, number=7)
    assert len(rows.deliveries(database)) == 1


def test_muted_receiver_is_not_recorded(database: str, connect: Any) -> None:
    first = connect(paid, "a", using=database)
    connect(paid, "b", using=database)

    with mute(first):
        paid.send(sender=None)
    assert rows.receivers(database) == ["b"]

    with mute(paid):
        paid.send(sender=None)
    assert rows.receivers(database) == ["b"]


def test_captured_signal_is_recorded_as_ever(database: str, connect: Any) -> None:
    connect(paid, "note", using=database)

    with capture(paid) as sent:
        paid.send(sender=None, number=1)

    assert sent.one().payload == {"number": 1}
    assert rows.receivers(database) == ["note"]


def test_muted_signal_delivers_what_was_recorded_before(
    database: str, connect: Any, seen: Seen
) -> None:
    connect(paid, "note", using=database)
    paid.send(sender=None, number=1)

    with mute(paid):
        drain(database)

    assert seen.names == ["note"]


def test_receiver_that_saves_what_it_hears_of_is_recorded_again_up_to_the_limit(
    database: str, on: Any
) -> None:
    saves: list[int] = []

    @on(post_save, durable="note", sender=Order, when=lambda instance: instance.total < 3)
    def note(instance: Order, **kwargs: Any) -> None:
        saves.append(instance.total)
        instance.total += 1
        instance.save()

    Order.objects.using(database).create()
    drain(database)

    assert saves == [0, 1, 2]


# --------------------------------------------------------------------------------- Django's signals


def test_declared_payload_is_completed_and_passed_as_far_as_it_is_named(
    database: str, on: Any, seen: Seen
) -> None:
    @on(declared, durable="note", using=database)
    def note(order: int) -> None:
        seen.append(order)

    declared.send(sender=None, order=1, note=["a"])
    with pytest.raises(signalpost.PayloadError):
        declared.send(sender=None, order=1)
    drain(database)

    assert seen == [1]


def test_signal_that_a_function_declares_gives_its_defaults(
    database: str, on: Any, seen: Seen
) -> None:
    @on(typed, durable="note", using=database)
    def note(sender: Any, order: int, note: str, delivery: Any) -> None:
        seen.append((order, note, delivery.attempt))

    typed.send(None, order=1)
    drain(database)

    assert seen == [(1, "none", 1)]


def test_save_is_recorded_in_the_database_that_it_writes_to(
    database: str, connect: Any, seen: Seen
) -> None:
    connect(post_save, "note", sender=Order)

    order = Order.objects.using(database).create(status="paid")
    drain(database)

    kwargs = seen[0][1]
    assert kwargs["sender"] is Order
    assert kwargs["signal"] is post_save
    assert (kwargs["instance"], kwargs["created"], kwargs["raw"]) == (order, True, False)
    assert (kwargs["using"], kwargs["update_fields"]) == (database, None)


def test_update_fields_come_back_as_a_set(database: str, connect: Any, seen: Seen) -> None:
    order = Order.objects.using(database).create()
    connect(post_save, "note", sender=Order)
    order.save(update_fields=["status"])
    drain(database)

    assert seen[0][1]["update_fields"] == frozenset({"status"})


def test_deleted_instance_is_delivered_as_it_was(database: str, connect: Any, seen: Seen) -> None:
    order = Order.objects.using(database).create(status="paid", details={"a": 1})
    pk = order.pk
    connect(post_delete, "note", sender=Order)

    order.delete()
    drain(database)

    kwargs = seen[0][1]
    instance, origin = kwargs["instance"], kwargs["origin"]
    assert (instance.pk, instance.status, instance.details) == (pk, "paid", {"a": 1})
    assert (origin.pk, type(origin)) == (pk, Order)
    assert kwargs["using"] == database


def test_origin_that_is_a_queryset_is_left_out(database: str, connect: Any, seen: Seen) -> None:
    Order.objects.using(database).create(status="a")
    Order.objects.using(database).create(status="b")
    connect(post_delete, "note", sender=Order)

    Order.objects.using(database).all().delete()
    drain(database)

    assert {kwargs["instance"].status for _, kwargs in seen} == {"a", "b"}
    assert [kwargs["origin"] for _, kwargs in seen] == [None, None]


def test_cascade_tells_of_the_instance_that_it_began_with(
    database: str, connect: Any, seen: Seen
) -> None:
    customer = Customer.objects.using(database).create(name="ada")
    Order.objects.using(database).create(customer=customer)
    connect(post_delete, "note", sender=Order)

    customer.delete()
    drain(database)

    kwargs = seen[0][1]
    assert type(kwargs["origin"]) is Customer
    assert kwargs["origin"].name == "ada"
    assert kwargs["instance"].customer_id == kwargs["origin"].pk


def test_deleted_child_is_whole(database: str, connect: Any, seen: Seen) -> None:
    child = PriorityOrder(deadline=3, status="paid")
    child.save(using=database)
    connect(post_delete, "note", sender=PriorityOrder)

    child.delete()
    drain(database)

    instance = seen[0][1]["instance"]
    assert (instance.deadline, instance.status) == (3, "paid")


def test_relation_that_changes_is_delivered_with_its_keys(
    database: str, connect: Any, seen: Seen
) -> None:
    order = Order.objects.using(database).create()
    customers = [Customer.objects.using(database).create(name=name) for name in "ab"]
    connect(m2m_changed, "note", sender=Order.tags.through)

    order.tags.add(*customers)
    order.tags.clear()
    drain(database)

    calls = [kwargs for _, kwargs in seen]
    assert [each["action"] for each in calls] == [
        "pre_add",
        "post_add",
        "pre_clear",
        "post_clear",
    ]
    assert calls[1]["pk_set"] == {each.pk for each in customers}
    assert type(calls[1]["pk_set"]) is set
    assert calls[3]["pk_set"] is None
    assert {each["model"] for each in calls} == {Customer}
    assert calls[0]["sender"] is Order.tags.through
    assert calls[0]["instance"] == order


# ------------------------------------------------------------------------- connected, or gone by now


def test_receiver_that_is_gone_at_the_delivery_is_waited_for(
    database: str, connect: Any, seen: Seen
) -> None:
    note = connect(paid, "note", using=database)
    paid.send(sender=None, number=1)
    paid.disconnect(note)

    [error] = drain(database, raises=False).errors
    assert error == (
        "No receiver 'note' is connected to signal 'tests.recording.paid' in this worker. Was it "
        "renamed? Then declare aliases=. Looked at again later."
    )
    [row] = rows.deliveries(database)
    assert (row.state, row.attempts) == ("ready", 0)

    connect(paid, "note", using=database)
    rows.make_due(database)
    assert drain(database).done == 1
    assert seen.names == ["note"]


def test_receiver_that_is_connected_after_the_send_gets_nothing(
    database: str, connect: Any, seen: Seen
) -> None:
    connect(paid, "before", using=database)
    paid.send(sender=None)
    connect(paid, "after", using=database)
    drain(database)

    assert seen.names == ["before"]
