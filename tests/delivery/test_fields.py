"""Problem 10: only when this field changed."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connections, transaction
from django.db.models import F, Prefetch
from django.db.models.signals import m2m_changed, post_delete, post_init, post_save, pre_save
from django.test.utils import CaptureQueriesContext

import signalpost
from signalpost.django.changes import Change, Changes
from signalpost.django.fields import remember_values
from signalpost.exceptions import ReceiverError
from tests.delivery.connections import run_async
from tests.store.models import Customer, Order, OrderProxy, PriorityOrder, Remembering, Token

Seen = list[dict[str, tuple[Any, Any]]]


def listen(
    on: Any, fields: Any, sender: Any = Order, signal: Any = post_save, **options: Any
) -> Seen:
    seen: Seen = []

    @on(signal, sender=sender, fields=fields, **options)
    def receiver(instance: Any, changes: Any, **kwargs: Any) -> None:
        seen.append({name: (change.old, change.new) for name, change in changes.items()})

    return seen


def created(using: str, model: Any = Order, **values: Any) -> Any:
    """An instance as a view gets it, from the database."""
    instance = model(**values)
    instance.save(using=using)
    return model._base_manager.using(using).get(pk=instance.pk)


def test_plain_receiver_cannot_tell(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_save, sender=Order)
    def plain(instance: Order, **kwargs: Any) -> None:
        seen.append(Order.objects.using(using).get(pk=instance.pk).status == instance.status)

    order = created(using)
    order.status = "paid"
    order.save()
    assert seen == [True, True]


def test_called_when_one_of_them_has_changed(on: Any, using: str) -> None:
    order = created(using)
    seen = listen(on, ["status", "total"])
    order.save()
    order.paid = True
    order.save()
    assert seen == []
    order.status = "paid"
    order.save()
    order.total, order.status = 5, "sent"
    order.save()
    order.save()
    assert seen == [
        {"status": ("open", "paid")},
        {"status": ("paid", "sent"), "total": (0, 5)},
    ]


def test_changes_are_frozen(on: Any, using: str) -> None:
    got: list[Any] = []

    @on(post_save, sender=Order, fields="status")
    def receiver(changes: Any, **kwargs: Any) -> None:
        got.append(changes)

    created(using)
    [changes] = got
    assert isinstance(changes, Changes)
    assert changes["status"] == Change(None, "open")
    assert (changes["status"].old, changes["status"].new) == (None, "open")
    assert repr(changes) == "<Changes status: None → 'open'>"
    with pytest.raises(TypeError):
        changes["status"] = None
    with pytest.raises(AttributeError):
        changes["status"].old = 5


def test_creation_changes_all_that_is_saved(on: Any, using: str) -> None:
    seen = listen(on, ["status", "customer"])
    created(using, status="new")
    assert seen == [{"status": (None, "new"), "customer": (None, None)}]


def test_new_row_with_a_key_of_its_own(on: Any, using: str) -> None:
    seen = listen(on, "value", Token)
    with CaptureQueriesContext(connections[using]) as queries:
        Token(value="new").save(using=using)
    assert len(queries) == 1
    Order(pk=77).save(using=using)
    seen_orders = listen(on, "status")
    Order(pk=77, status="over it").save(using=using)
    assert seen == [{"value": (None, "new")}]
    assert seen_orders == [{"status": ("open", "over it")}]


def test_update_fields(on: Any, using: str) -> None:
    order = created(using)
    seen = listen(on, ["status", "customer_id"])
    order.status = "not saved"
    with CaptureQueriesContext(connections[using]) as queries:
        order.save(update_fields=["paid"])
    assert len(queries) == 1
    assert seen == []
    order.save(update_fields=["status"])
    order.customer = Customer.objects.using(using).create(name="Ada")
    order.save(update_fields=["customer"])
    assert seen == [
        {"status": ("open", "not saved")},
        {"customer_id": (None, order.customer.pk)},
    ]


def test_deferred_fields(on: Any, using: str) -> None:
    order = created(using)
    seen = listen(on, ["status", "total"])
    deferred = Order.objects.using(using).only("total").get(pk=order.pk)
    deferred.total = 1
    deferred.save()
    deferred = Order.objects.using(using).defer("status").get(pk=order.pk)
    deferred.status = "set though deferred"
    deferred.save()
    assert seen == [{"total": (0, 1)}, {"status": ("open", "set though deferred")}]


def test_expressions_count_as_changes(on: Any, using: str) -> None:
    order = created(using)
    got: list[Any] = []

    @on(post_save, sender=Order, fields="total")
    def receiver(changes: Any, **kwargs: Any) -> None:
        got.append(changes["total"].old)

    order.total = F("total") + 1
    order.save()
    assert got == [0]


def test_values_are_compared_as_the_field_has_them(on: Any, using: str) -> None:
    order = created(using, total=5, details={"a": 1}, status="7")
    seen = listen(on, ["total", "details", "status", "invoice"])
    order.total, order.details, order.status = "5", {"a": 1}, 7
    order.save()
    assert seen == []
    order.details["a"] = 2  # in place
    order.save()
    order.details["a"] = 3
    assert seen == [{"details": ({"a": 1}, {"a": 2})}]


def test_files_are_compared_by_name(on: Any, using: str, tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    order = created(using)
    seen = listen(on, "invoice")
    order.save()
    assert seen == []
    order.invoice.save("invoice.txt", ContentFile("paid"))
    assert [set(changes) for changes in seen] == [{"invoice"}]
    assert seen[0]["invoice"][0] == ""


def test_true_on_commit_as_well(on: Any, using: str) -> None:
    order = created(using)
    seen = listen(on, "status", on_commit=True)
    with transaction.atomic(using=using):
        for status in ("paid", "sent"):
            order.status = status
            order.save()
        assert seen == []
    assert seen == [{"status": ("open", "paid")}, {"status": ("paid", "sent")}]


def test_save_by_another_receiver_in_between(on: Any, using: str) -> None:
    order = created(using)

    @on(post_save, sender=Order, reentrant=False)
    def saves(instance: Order, **kwargs: Any) -> None:
        instance.total += 1
        instance.save()

    seen = listen(on, ["status", "total"])
    order.status = "paid"
    order.save()
    assert seen == [{"total": (0, 1)}, {"status": ("open", "paid")}]


def test_before_the_save(on: Any, using: str) -> None:
    order = created(using)
    seen = listen(on, "status", signal=pre_save)
    order.save()
    order.status = "paid"
    with CaptureQueriesContext(connections[using]) as queries:
        order.save()
    assert len(queries) == 2
    assert seen == [{"status": ("open", "paid")}]


def test_another_instance_of_the_row_and_another_database(on: Any, using: str) -> None:
    order = created(using)
    seen = listen(on, "status")
    again = Order.objects.using(using).get(pk=order.pk)
    again.status = "paid"
    again.save()
    order.status = "sent"
    order.save()
    assert seen == [{"status": ("open", "paid")}, {"status": ("paid", "sent")}]
    order.save(using="second")
    assert seen[2:] == [{"status": (None, "sent")}]


def test_subclasses_inherit_it(on: Any, using: str) -> None:
    for model in (OrderProxy, PriorityOrder):
        seen = listen(on, ["status"], subclasses=True)
        child = created(using, model)
        child.status = "paid"
        child.save()
        assert seen == [{"status": (None, "open")}, {"status": ("open", "paid")}]
    seen = listen(on, ["status"])
    created(using, PriorityOrder)
    assert seen == []


def test_model_that_is_named_by_a_string(on: Any, using: str) -> None:
    seen = listen(on, ["status"], "store.Order")
    created(using)
    assert seen == [{"status": (None, "open")}]


def test_async_receivers_and_saves(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_save, sender=Order, fields=["status"])
    async def receiver(changes: Any, **kwargs: Any) -> None:
        seen.append(changes["status"].new)

    order = created(using)
    order.status = "paid"
    run_async(order.asave(using=using))
    assert seen == ["open", "paid"]


def test_all_fields(on: Any, using: str) -> None:
    order = created(using)
    seen = listen(on, "__all__")
    order.paid = True
    order.save()
    assert seen == [{"paid": (False, True)}]


# ---------------------------------------------------------------------------------- queries


def count_queries(using: str, save: Callable[[], object]) -> int:
    with CaptureQueriesContext(connections[using]) as captured:
        save()
    return len(captured)


def test_one_query_where_somebody_listens_and_none_where_nobody_does(on: Any, using: str) -> None:
    gc.collect()  # errors that other tests have caught, whose tracebacks keep their receivers
    order = created(using)

    def queries() -> int:
        return count_queries(using, order.save)

    assert queries() == 1
    before = len(post_init.receivers)

    def receiver(changes: Any, **kwargs: Any) -> None: ...

    signalpost.receiver(post_save, sender=Order, fields=["status", "total"])(receiver)
    second = listen(on, "paid")
    assert queries() == 2
    assert len(post_init.receivers) == before
    post_save.disconnect(receiver, sender=Order)
    assert queries() == 2
    on.close()
    assert queries() == 1
    assert second == []


def test_no_query_for_a_receiver_that_was_refused(on: Any, using: str) -> None:
    gc.collect()
    order = created(using)
    on(pre_save, sender=Order)(remember_values)  # some other receiver listens for fields
    with pytest.raises(ReceiverError, match="reentrant") as kept:
        listen(on, ["status"], reentrant="no")
    assert kept.tb is not None
    assert count_queries(using, order.save) == 1


def test_mixin_avoids_the_query(on: Any, using: str) -> None:
    row = created(using, Remembering)
    seen = listen(on, ["status", "details"], Remembering)

    def save() -> int:
        return count_queries(using, row.save)

    assert save() == 1
    row.status = "paid"
    row.details["a"] = 1
    assert save() == 1
    assert save() == 1
    Remembering.objects.using(using).update(status="by another")
    row.refresh_from_db()
    assert save() == 1
    row.status = "sent"
    row.save(update_fields=["status"])
    assert seen == [
        {"status": ("open", "paid"), "details": ({}, {"a": 1})},
        {"status": ("by another", "sent")},
    ]
    new = Remembering(status="new")
    new.save(using=using)
    new.status = "newer"
    new.save()
    assert seen[2:] == [
        {"status": (None, "new"), "details": (None, {})},
        {"status": ("new", "newer")},
    ]
    deferred = Remembering.objects.using(using).only("pk").get(pk=new.pk)
    deferred.status = "set though deferred"
    deferred.save()
    assert seen[4:] == [{"status": ("newer", "set though deferred")}]


# ------------------------------------------------------------------------------- wrong uses


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"fields": ["statsu"]},
            r"names 'statsu', which store.Order has no column for. Did you mean 'status'",
        ),
        ({"fields": ["zzz"]}, r"Its fields are id, status"),
        (
            {"fields": ["tags"]},
            r"many-to-many.*Connect to m2m_changed, with sender=store.Order.tags.through",
        ),
        ({"fields": []}, r"is no list of fields' names"),
        ({"fields": 5}, r"is no list of fields' names"),
        ({"fields": ["status"], "sender": None}, r"needs the model whose fields"),
        ({"fields": ["status"], "sender": str}, r"needs the model whose fields"),
    ],
)
def test_wrong_fields_are_refused(options: dict[str, Any], text: str) -> None:
    def receiver(**kwargs: Any) -> None: ...

    with pytest.raises(ReceiverError, match=text):
        signalpost.receiver(post_save, **{"sender": Order, **options})(receiver)
    assert not post_save.disconnect(receiver, sender=options.get("sender", Order))


@pytest.mark.parametrize("signal", [post_delete, m2m_changed, signalpost.Signal()])
def test_signals_that_change_no_field_are_refused(signal: Any) -> None:
    with pytest.raises(ReceiverError, match="fields= is for pre_save and post_save"):
        signalpost.receiver(signal, sender=Order, fields=["status"])(lambda **kwargs: None)


def test_prefetched_objects_are_left_alone(on: Any, using: str) -> None:
    customer = Customer.objects.using(using).create(name="Ada")
    order = created(using, customer=customer)
    order.tags.add(customer)
    seen: list[Any] = []

    @on(post_save, sender=Order, on_commit=True)
    def receiver(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.tags.all()[0])

    [order] = Order.objects.using(using).prefetch_related(Prefetch("tags"))
    with transaction.atomic(using=using):
        order.save()
    assert seen == [customer]


def test_one_query_for_both_signals(on: Any, using: str) -> None:
    order = created(using)
    before, after = listen(on, "status", signal=pre_save), listen(on, ["status", "total"])
    for status in ("paid", "sent"):
        order.status = status
        with CaptureQueriesContext(connections[using]) as queries:
            order.save()
        assert len(queries) == 2
    expected = [{"status": ("open", "paid")}, {"status": ("paid", "sent")}]
    assert before == after == expected


def test_nested_save_of_a_model_that_remembers(on: Any, using: str) -> None:
    row = created(using, Remembering)

    @on(post_save, sender=Remembering, reentrant=False)
    def saves(instance: Any, **kwargs: Any) -> None:
        instance.save()

    seen = listen(on, ["status"], Remembering)
    row.status = "paid"
    row.save()
    assert seen == [{"status": ("open", "paid")}]


def test_when_is_asked_after_fields(on: Any, using: str) -> None:
    order = created(using)
    seen = listen(on, "status", when=lambda changes: changes["status"].new == "paid")
    order.save()
    for status in ("sent", "paid"):
        order.status = status
        order.save()
    assert seen == [{"status": ("sent", "paid")}]
