"""Problem 1: a receiver runs before the commit, and for what is never committed."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver as djangos_receiver

import signalpost
from signalpost.exceptions import ReceiverError
from tests.delivery.connections import run_async
from tests.store.models import Customer, Order


def test_plain_receiver_runs_for_what_is_rolled_back(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_save, sender=Order)
    def plain(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.pk)

    with pytest.raises(ZeroDivisionError), transaction.atomic(using=using):
        Order(status="ghost").save(using=using)
        raise ZeroDivisionError

    assert len(seen) == 1
    assert not Order.objects.using(using).exists()


def test_runs_after_the_commit_of_the_signals_database(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_save, sender=Order, on_commit=True)
    def notify(instance: Order, using: str, **kwargs: Any) -> None:
        assert not connections[using].in_atomic_block
        seen.append((instance.pk, using))

    with transaction.atomic(using=using):
        order = Order()
        order.save(using=using)
        assert seen == []
    assert seen == [(order.pk, using)]


def test_waits_for_its_own_database_only(on: Any, using: str) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, on_commit=True)
    def notify(using: str, **kwargs: Any) -> None:
        seen.append(using)

    with transaction.atomic(using=using), transaction.atomic(using="second"):
        Order().save(using=using)
        Order().save(using="second")
        assert seen == []
    assert seen == ["second", using]


def test_not_at_all_where_the_transaction_or_its_savepoint_is_rolled_back(
    on: Any, using: str
) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, on_commit=True)
    def notify(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.status)

    def save(status: str) -> None:
        Order(status=status).save(using=using)

    with pytest.raises(ZeroDivisionError), transaction.atomic(using=using):
        save("lost")
        raise ZeroDivisionError
    with transaction.atomic(using=using):
        save("outer")
        with pytest.raises(ZeroDivisionError), transaction.atomic(using=using):
            save("inner lost")
            with transaction.atomic(using=using):
                save("innermost lost")
            raise ZeroDivisionError
        with transaction.atomic(using=using):
            save("inner")
    assert seen == ["outer", "inner"]


def test_at_once_where_there_is_no_transaction(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_save, sender=Order, on_commit=True)
    def notify(instance: Order, **kwargs: Any) -> None:
        seen.append(instance)

    order = Order()
    order.save(using=using)
    assert seen == [order]
    assert seen[0] is order


def test_deleted_instance_keeps_its_key_and_its_fields(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_delete, sender=Order, on_commit=True)
    def forget(instance: Order, **kwargs: Any) -> None:
        seen.append((instance.pk, instance.status, instance.details))

    order = Order(status="paid", details={"lines": [1]})
    order.save(using=using)
    pk = order.pk
    with transaction.atomic(using=using):
        order.delete()
        order.status = "changed later"
        order.details["lines"].append(2)
    assert order.pk is None
    assert seen == [(pk, "paid", {"lines": [1]})]


def test_later_changes_of_what_was_sent_do_not_show(on: Any, using: str) -> None:
    sent = signalpost.Signal(providing_args=["orders", "facts", "again", "using"])
    seen: list[Any] = []

    @on(sent, on_commit=True)
    def look(orders: Any, facts: Any, again: Any) -> None:
        seen.append(([o.status for o in orders], facts, again is orders[0]))

    order, facts = Order(status="as sent"), {"by": [1]}
    with transaction.atomic(using=using):
        orders = [order]
        sent.send(None, orders=orders, facts=facts, again=order, using=using)
        order.status = "later"
        orders.clear()
        facts["more"] = [2]
    assert seen == [(["as sent"], {"by": [1]}, True)]


def test_related_objects_are_the_senders(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_save, sender=Order, on_commit=True)
    def look(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.customer)

    customer = Customer.objects.using(using).create(name="Ada")
    with transaction.atomic(using=using):
        Order(customer=customer).save(using=using)
    assert seen[0] is customer


def test_failure_is_logged_and_stops_nobody(
    on: Any, using: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, on_commit=True, priority=1)
    def fails(**kwargs: Any) -> None:
        raise RuntimeError("mail server down")

    @on(post_save, sender=Order, on_commit=True)
    def runs(**kwargs: Any) -> None:
        seen.append("ran")

    with caplog.at_level(logging.ERROR), transaction.atomic(using=using):
        Order().save(using=using)
        transaction.on_commit(lambda: seen.append("other"), using=using)
    Order().save(using=using)

    assert seen == ["ran", "other", "ran"]
    assert [r.getMessage().partition("fails")[2] for r in caplog.records] == [
        " on commit (mail server down)"
    ] * 2
    assert all(record.exc_info for record in caplog.records)


def test_async_receivers_run_too(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_save, sender=Order, on_commit=True)
    async def notify(instance: Order, **kwargs: Any) -> None:
        await asyncio.sleep(0)
        seen.append(instance.status)

    with transaction.atomic(using=using):
        Order(status="sync").save(using=using)
        assert seen == []
    run_async(Order(status="async").asave(using=using))
    assert seen == ["sync", "async"]


def test_asend_outside_of_a_transaction_runs_it_at_once(on: Any) -> None:
    sent = signalpost.Signal()
    seen: list[str] = []

    @on(sent, on_commit=True)
    async def later(**kwargs: Any) -> None:
        seen.append("async")

    @on(sent, on_commit=True)
    def sync_later(**kwargs: Any) -> None:
        seen.append("sync")

    run_async(sent.asend(None))
    assert sorted(seen) == ["async", "sync"]


def test_the_default_database_where_the_signal_names_none(on: Any) -> None:
    sent = signalpost.Signal()
    seen: list[str] = []

    @on(sent, on_commit=True)
    def later(**kwargs: Any) -> None:
        seen.append("ran")

    with transaction.atomic(using="second"):
        sent.send(None)
        assert seen == ["ran"]
    with transaction.atomic():
        sent.send(None)
        assert seen == ["ran"]
    assert seen == ["ran", "ran"]


def test_djangos_own_decorator_takes_it(using: str) -> None:
    seen: list[Any] = []

    @djangos_receiver(post_save, sender=Order, on_commit=True)
    def notify(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.pk)

    with transaction.atomic(using=using):
        Order().save(using=using)
        assert seen == []
    assert len(seen) == 1
    post_save.disconnect(notify, sender=Order)


@pytest.mark.parametrize("signal", [pre_save, pre_delete], ids=["pre_save", "pre_delete"])
def test_refused_on_signals_that_come_before_the_change(signal: Any) -> None:
    def notify(**kwargs: Any) -> None: ...

    with pytest.raises(ReceiverError, match=r"sent before the change.*Connect to 'post_"):
        signalpost.receiver(signal, sender=Order, on_commit=True)(notify)
    assert not signal.disconnect(notify, sender=Order)


def test_on_commit_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(ReceiverError, match=r"on_commit='yes' is neither True nor False"):
        signalpost.receiver(post_save, on_commit="yes")(lambda **kwargs: None)  # type: ignore[call-overload]


def test_send_on_commit_is_for_all_receivers(on: Any, using: str) -> None:
    sent = signalpost.Signal(providing_args=["order"])
    seen: list[Any] = []

    @on(sent)
    def plain(order: Order) -> None:
        seen.append(order.status)

    with pytest.raises(signalpost.PayloadError):
        sent.send_on_commit(None, using=using, ordr=1)
    with transaction.atomic(using=using):
        order = Order(status="as sent")
        sent.send_on_commit(None, using=using, order=order)
        order.status = "later"
        assert seen == []
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=using):
        sent.send_on_commit(None, using=using, order=order)
        raise ZeroDivisionError
    run_async(sent.asend_on_commit(None, order=Order(status="async")))
    assert seen == ["as sent", "async"]


def test_send_on_commit_logs_what_fails(on: Any, caplog: pytest.LogCaptureFixture) -> None:
    sent = signalpost.Signal()

    @on(sent)
    def fails(**kwargs: Any) -> None:
        raise RuntimeError("broken")

    with transaction.atomic():
        sent.send_on_commit(None)
    assert "send_robust() (broken)" in caplog.text


def test_response_of_a_receiver_that_waits_is_none(on: Any) -> None:
    sent = signalpost.Signal()

    @on(sent, on_commit=True)
    def later(**kwargs: Any) -> str:
        return "too late"

    assert sent.send(None) == [(later, None)]


def test_own_signals_may_be_called_pre_anything() -> None:
    pre_order_placed = signalpost.Signal(name="shop.signals.pre_order_placed")
    pre_order_placed.connect(lambda **kwargs: None, on_commit=True)


def test_send_on_commit_fills_in_a_declared_database(on: Any) -> None:
    sent = signalpost.Signal(providing_args=["using"])
    seen: list[str] = []

    @on(sent)
    def receiver(using: str) -> None:
        seen.append(using)

    sent.send_on_commit(None)
    sent.send_on_commit(None, using="second")
    assert seen == ["default", "second"]


def test_test_case_that_never_commits(on: Any, commit_receivers: Any) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, on_commit=True)
    def notify(using: str, **kwargs: Any) -> None:
        seen.append(using)

    with transaction.atomic(), transaction.atomic(using="second"):
        with commit_receivers():
            Order().save()
            Order().save(using="second")
            assert seen == []
        assert sorted(seen) == ["default", "second"]
        transaction.set_rollback(True)
        transaction.set_rollback(True, using="second")
