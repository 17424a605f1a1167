"""How what is Django's is stored: instances by reference, deleted ones whole."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connections
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext

from signalpost.delivery import codec
from signalpost.delivery.codec import Missing, Reading
from signalpost.exceptions import PayloadUnreadable, RecordingError
from tests.store.models import Customer, Order, OrderProxy, PriorityOrder, Token


def again(value: Any, using: str | None = None) -> Any:
    return codec.loads(codec.dumps({"value": value}), Reading(using))["value"]


def snapshot(value: Any) -> Any:
    return codec.loads(codec.dumps({"value": value}, snapshots=True))["value"]


def test_instance_is_fetched_again_as_it_is_then(database: str) -> None:
    order = Order.objects.using(database).create(status="open")
    text = codec.dumps({"order": order})
    Order.objects.using(database).update(status="paid")

    found = codec.loads(text, Reading(database))["order"]

    assert (found.pk, found.status, found._state.db) == (order.pk, "paid", database)
    assert order.status == "open"


def test_each_instance_is_fetched_once(database: str) -> None:
    order = Order.objects.using(database).create()
    other = Order.objects.using(database).create()
    text = codec.dumps({"order": order, "orders": [order, other], "by": {"pk": other}})

    with CaptureQueriesContext(connections[database]) as queries:
        found = codec.loads(text, Reading(database))

    assert len(queries) == 2
    assert found["order"] is found["orders"][0]
    assert found["orders"][1] is found["by"]["pk"]


def test_same_key_in_two_databases_is_two_instances(database: str, second: str) -> None:
    here = Customer.objects.using(database).create(pk=5, name="here")
    there = Customer.objects.using(second).create(pk=5, name="there")

    found = again([here, there], database)

    assert [each.name for each in found] == ["here", "there"]
    assert [each._state.db for each in found] == [database, second]


@pytest.fixture
def second(database: str) -> Any:
    yield "default"
    Customer.objects.using("default").all().delete()


class Routed:
    """Reads from a replica, writes to the other."""

    def __init__(self, primary: str) -> None:
        self.primary = primary

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return self.primary


def test_instance_of_a_replica_is_fetched_where_it_is_written(
    database: str, second: str, settings: Any
) -> None:
    settings.DATABASE_ROUTERS = [Routed(database)]
    customer = Customer.objects.using(database).create(name="ada")
    customer._state.db = second  # as one that was read there

    assert again(customer)._state.db == database


def test_instance_of_the_database_of_the_change_is_fetched_from_it(
    database: str, second: str, settings: Any
) -> None:
    settings.DATABASE_ROUTERS = [Routed(second)]
    customer = Customer.objects.using(database).create(name="ada")
    encoded = codec.encode_each({"value": customer}, using=database)

    assert codec.decode_each(encoded, Reading(database))["value"]._state.db == database


def test_child_proxy_and_uuid_come_back_as_what_they_are(database: str) -> None:
    child = PriorityOrder(deadline=3)
    child.save(using=database)
    proxy = OrderProxy.objects.using(database).get(pk=child.pk)
    token = Token(value="a")
    token.save(using=database)

    found = again([child, proxy, token], database)

    assert [type(each) for each in found] == [PriorityOrder, OrderProxy, Token]
    assert [each.pk for each in found] == [child.pk, child.pk, token.pk]
    Token.objects.using(database).all().delete()


def test_instance_with_deferred_fields_comes_back_whole(database: str) -> None:
    Order.objects.using(database).create(status="paid")
    order = Order.objects.using(database).only("total").get()

    found = again(order, database)

    assert found.get_deferred_fields() == set()
    assert found.status == "paid"


def test_instance_that_is_gone_is_missing(database: str) -> None:
    order = Order.objects.using(database).create()
    pk = order.pk
    text = codec.dumps({"order": order})
    order.delete()

    with pytest.raises(Missing, match=f"store.Order {pk} is gone"):
        codec.loads(text, Reading(database))


def test_model_and_table_of_a_relation_are_stored_by_their_labels(database: str) -> None:
    assert again(Order) is Order
    assert again(Order.tags.through) is Order.tags.through
    assert codec.dumps({"m": OrderProxy}) == '{"m":{"$":"model","v":"store.OrderProxy"}}'


# ------------------------------------------------------------------------------------ snapshots


def test_snapshot_has_the_values_of_all_columns(database: str) -> None:
    customer = Customer.objects.using(database).create(name="ada")
    order = Order.objects.using(database).create(
        status="paid", details={"a": [1, None]}, customer=customer, invoice="bill.pdf"
    )
    text = codec.dumps({"order": order}, snapshots=True)
    pk = order.pk
    order.delete()

    with CaptureQueriesContext(connections[database]) as queries:
        found = codec.loads(text, Reading(database))["order"]

    assert len(queries) == 0
    assert (found.pk, found.status, found.details) == (pk, "paid", {"a": [1, None]})
    assert (found.customer_id, found.invoice.name) == (customer.pk, "bill.pdf")
    assert not found._state.adding
    assert found._state.db == database


def test_snapshot_of_a_child_has_the_columns_of_its_parent(database: str) -> None:
    child = PriorityOrder(deadline=3, status="paid")
    child.save(using=database)

    found = snapshot(child)

    assert (found.pk, found.status, found.deadline) == (child.pk, "paid", 3)


def test_snapshot_leaves_deferred_fields_deferred(database: str) -> None:
    Order.objects.using(database).create()
    order = Order.objects.using(database).defer("details").get()

    assert snapshot(order).get_deferred_fields() == {"details"}


def test_snapshot_that_cannot_be_stored_names_its_column() -> None:
    order = Order(pk=5, details={"at": object()})

    with pytest.raises(RecordingError, match=r"argument 'order\.details\['at'\]' can't be stored"):
        codec.dumps({"order": order}, snapshots=True)


# ------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (
            Order.objects.all,
            "a queryset is a question, whose answer may be another one by",
        ),
        (lambda: Order.objects.values_list("pk"), "a queryset is a question"),
        (lambda: Order.objects, "a manager isn't stored. Pass the model."),
        (HttpRequest, "a request ends before its deliveries run. Pass what is needed of it."),
        (lambda: ContentFile(b""), "a file isn't stored. Pass its name, or the instance"),
        (lambda: Order(invoice="a").invoice, "a file isn't stored."),
        (Order, "the store.Order isn't saved, so it can't be fetched again. Save it before it is"),
        (Token, "the store.Token isn't saved, so it can't be fetched again."),
    ],
)
def test_what_is_no_value_is_refused_with_what_to_pass(make: Any, reason: str) -> None:
    with pytest.raises(RecordingError) as caught:
        codec.dumps({"orders": [make()]})

    assert str(caught.value).startswith("argument 'orders[0]' can't be stored: ")
    assert reason in str(caught.value)


def test_model_of_a_migration_is_refused() -> None:
    from django.db.migrations.state import ModelState, ProjectState

    state = ProjectState()
    state.add_model(ModelState.from_model(Customer))
    historical: Any = state.apps.get_model("store", "Customer")

    with pytest.raises(RecordingError, match=r"store\.Customer isn't a model of an installed app"):
        codec.dumps({"model": historical})
    with pytest.raises(RecordingError, match=r"store\.Customer isn't a model of an installed app"):
        codec.dumps({"customer": historical(pk=5)})


# ---------------------------------------------------------------------------- what a row may name


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"model": "store.Nothing", "using": None, "pk": 1}, "there is no model 'store.Nothing'"),
        ({"model": ["a"], "using": None, "pk": 1}, "there is no model <no name>"),
        ({"model": "store.Order", "using": "nowhere", "pk": 1}, "DATABASES has no 'nowhere'"),
        ({"model": "store.Order", "using": ["a"], "pk": 1}, "DATABASES has no <no name>"),
        ({"model": "store.Order", "using": None, "pk": "secret"}, "no primary key of store.Order"),
        ({"model": "store.Token", "using": None, "pk": "secret"}, "no primary key of store.Token"),
        ({"model": "store.Order", "using": None, "pk": {"a": "secret"}}, "(TypeError)"),
        ({"model": "store.Order", "using": None}, "(KeyError)"),
        ({"model": "store.Order", "using": None, "fields": ["secret"]}, "(AttributeError)"),
        ("secret", "(TypeError)"),
    ],
)
def test_instance_that_a_damaged_row_names_is_unreadable(
    database: str, stored: Any, reason: str
) -> None:
    text = codec.compose({"order": {"$": "instance", "v": stored}})

    with pytest.raises(PayloadUnreadable) as caught:
        codec.loads(text, Reading(database))

    assert str(caught.value).startswith("argument 'order' can't be restored: ")
    assert reason in str(caught.value)
    assert "secret" not in str(caught.value)


def test_snapshot_that_names_other_columns_leaves_them_out(database: str) -> None:
    fields = {"id": 5, "status": "paid", "delete": "all", "__class__": "secret"}
    stored = {"model": "store.Order", "using": None, "fields": fields}

    found = codec.loads(codec.compose({"o": {"$": "instance", "v": stored}}))["o"]

    assert type(found) is Order
    assert (found.pk, found.status) == (5, "paid")
    assert "delete" not in vars(found)


def test_changes_of_fields_come_back(database: str, on: Any) -> None:
    from signalpost.django.changes import Change, Changes

    seen: list[Any] = []

    @on(post_save, sender=Order, fields=["status", "details"])
    def note(changes: Any, **kwargs: Any) -> None:
        seen.append(changes)

    order = Order.objects.using(database).create()
    order.status = "paid"
    order.save()

    assert again(seen[-1]) == seen[-1]
    assert type(again(seen[-1])) is Changes
    assert again(seen[-1])["status"] == Change("open", "paid")
