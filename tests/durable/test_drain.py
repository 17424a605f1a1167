"""`drain`: what is owed is run in the test's own thread, and in its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from signalpost import Retry, Signal
from signalpost.testing import drain
from tests.durable.rows import craft
from tests.durable.workers import affect, effects, rows
from tests.store.models import Order

paid = Signal(name="tests.draining.paid")
sent = Signal(name="tests.draining.sent")


@pytest.fixture
def in_a_transaction(database: str) -> Iterator[str]:
    """A database whose test runs in a transaction, as Django's `TestCase` has it."""
    with transaction.atomic(using=database):
        yield database
        transaction.set_rollback(True, using=database)


def test_drain_runs_what_is_due_and_what_that_leads_to(database: str, on: Any) -> None:
    @on(paid, durable="tests.sends", using=database)
    def pass_on(number: int, **kwargs: Any) -> None:
        sent.send(None, number=number)

    on(sent, durable="tests.sent", using=database, key="number")(
        lambda number, **kwargs: affect(database, number)
    )
    for number in (1, 2):
        paid.send(None, number=number)
    assert drain(database).done == 4
    assert (sorted(effects(database)), rows(database)) == ([1, 2], [])


def test_drain_raises_the_first_error_once_all_has_run(database: str, on: Any) -> None:
    seen: list[int] = []

    @on(paid, durable="tests.fails", using=database)
    def fail(number: int, **kwargs: Any) -> None:
        seen.append(number)
        raise ValueError(number)

    for number in (1, 2):
        paid.send(None, number=number)
    with pytest.raises(ValueError, match="1"):
        drain(database)
    assert (seen, rows(database)) == ([1, 2], [("ready", 1), ("ready", 1)])


def test_drain_gives_errors_back_where_it_is_to_raise_none(database: str, on: Any) -> None:
    @on(paid, durable="tests.fails", using=database, max_attempts=1)
    def fail(number: int, **kwargs: Any) -> None:
        raise ValueError(number) if number else Retry(after=60)

    for number in (0, 1):
        paid.send(None, number=number)
    drained = drain(database, raises=False)
    assert (drained.done, drained.retried, drained.dead) == (0, 0, 2)
    assert [repr(error) for error in drained.errors] == ["ValueError(1)"]


def test_drain_tells_of_a_receiver_that_nobody_has_connected(database: str) -> None:
    craft(database, topic="tests.draining.gone", receiver="tests.gone", body={"named": {}})
    with pytest.raises(AssertionError, match=r"No receiver 'tests\.gone' is connected"):
        drain(database)


def test_drain_runs_the_queues_that_it_is_asked_for(database: str, on: Any) -> None:
    for queue in ("mail", "web"):
        on(paid, durable=f"tests.{queue}", using=database, queue=queue)(lambda **kwargs: None)
    paid.send(None, number=1)
    assert drain(database, queue="mail").done == 1
    assert drain(database, queue=["web", "mail"]).done == 1


def test_drain_works_in_the_transaction_of_a_test(in_a_transaction: str, on: Any) -> None:
    @on(paid, durable="tests.atomic", using=in_a_transaction, atomic=True)
    def receive(order: Order, **kwargs: Any) -> None:
        affect(in_a_transaction, order.total + 1)

    order = Order.objects.using(in_a_transaction).create(total=1)
    paid.send(None, order=order)
    assert drain(in_a_transaction).done == 1
    assert effects(in_a_transaction) == [1, 2]


def test_drain_has_async_receivers_see_the_transaction_of_a_test(
    in_a_transaction: str, on: Any
) -> None:
    @on(paid, durable="tests.async", using=in_a_transaction)
    async def receive(order: Order, **kwargs: Any) -> None:
        found = await Order.objects.using(in_a_transaction).aget(pk=order.pk)
        await Order.objects.using(in_a_transaction).acreate(total=found.total + 1)

    order = Order.objects.using(in_a_transaction).create(total=1)
    paid.send(None, order=order)
    assert drain(in_a_transaction).done == 1
    assert effects(in_a_transaction) == [1, 2]


def test_failure_of_the_test_in_a_receiver_fails_the_test(database: str, on: Any) -> None:
    @on(paid, durable="tests.pytest", using=database)
    def receive(**kwargs: Any) -> None:
        pytest.fail("the receiver's assertion")

    paid.send(None, number=1)
    with pytest.raises(pytest.fail.Exception, match="the receiver's assertion"):
        drain(database)


def test_fixture_drains(database: str, on: Any, drain_deliveries: Any) -> None:
    on(paid, durable="tests.fixture", using=database)(lambda **kwargs: None)
    paid.send(None, number=1)
    assert drain_deliveries(database).done == 1
