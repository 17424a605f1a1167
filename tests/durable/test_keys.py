"""Keys: what orders deliveries, and the names that receivers are found by."""

from __future__ import annotations

import enum
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from signalpost import Signal
from signalpost.delivery.store import SLOTS, UNKEYED, slot_of, slot_range
from signalpost.exceptions import PayloadError
from signalpost.testing import drain
from tests.durable import rows, stored
from tests.store.models import Order

paid = Signal(name="tests.keys.paid")
on_sqlite = pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])


class Region(enum.Enum):
    NORTH = "north"


@on_sqlite
@pytest.mark.parametrize(
    ("key", "text"),
    [
        (5, "5"),
        ("a b", "a b"),
        ("", ""),
        ("é", "é"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Decimal("1.50"), "1.50"),
        (date(2024, 2, 29), "2024-02-29"),
        (Region.NORTH, "north"),
        (stored.Status.PAID, "paid"),
        ((7, "a"), "('7', 'a')"),
        ((7, (Region.NORTH, 2)), "('7', \"('north', '2')\")"),
    ],
)
def test_key_is_stored_as_its_text(database: str, on: Any, key: Any, text: str) -> None:
    @on(paid, durable="tests.note", using=database, key=lambda number, **kwargs: number)
    def note(**kwargs: Any) -> None: ...

    paid.send(sender=None, number=key)

    [row] = rows.deliveries(database)
    assert row.ordering_key == row.message.ordering_key == text
    assert row.slot == slot_of("tests.note", text)
    low, high = slot_range(SLOTS)
    assert low <= row.slot <= high


@on_sqlite
@pytest.mark.parametrize(
    ("key", "what"),
    [
        (None, "None"),
        ("a\x00b", "a str"),
        ("a\nb", "a str"),
        ("\ud800", "a str"),
        ("k" * 256, "a str"),
        (1.5, "a float"),
        ([1], "a list"),
        ((), "a tuple"),
        ((1, None), "a tuple"),
        (Order(pk=5), "a tests.store.models.Order"),
        (object(), "a object"),
    ],
)
def test_key_that_has_no_text_for_good_is_refused(
    database: str, on: Any, key: Any, what: str
) -> None:
    @on(paid, durable="tests.note", using=database, key=lambda **kwargs: key)
    def note(**kwargs: Any) -> None: ...

    with pytest.raises(PayloadError) as caught:
        paid.send(sender=None)

    assert f" gave {what}, which can't order deliveries: give a number" in str(caught.value)
    assert rows.messages(database) == []


def test_key_is_a_path_into_the_payload_or_a_function_of_it(database: str, on: Any) -> None:
    @on(paid, durable="tests.path", using=database, key="order.pk")
    def path(**kwargs: Any) -> None: ...

    @on(paid, durable="tests.function", using=database, key=lambda order: order.status)
    def function(**kwargs: Any) -> None: ...

    @on(paid, durable="tests.none", using=database)
    def none(**kwargs: Any) -> None: ...

    order = Order.objects.using(database).create(status="paid")
    paid.send(sender=None, order=order)

    keys = {row.receiver: row.ordering_key for row in rows.deliveries(database)}
    assert keys == {"tests.path": str(order.pk), "tests.function": "paid", "tests.none": None}
    assert {row.slot == UNKEYED for row in rows.deliveries(database)} == {True, False}


def test_key_is_asked_once_for_each_send(database: str, on: Any) -> None:
    asked: list[int] = []

    @on(paid, durable="tests.note", using=database, key=lambda number: asked.append(number) or 1)
    def note(**kwargs: Any) -> None: ...

    @on(paid, durable="tests.other", using=database)
    def other(**kwargs: Any) -> None: ...

    paid.send(sender=None, number=5)

    assert asked == [5]


def test_key_is_that_of_the_send(database: str, on: Any) -> None:
    seen: list[Any] = []

    @on(paid, durable="tests.note", using=database, key="order.status")
    def note(order: Any, delivery: Any, **kwargs: Any) -> None:
        seen.append((order.status, delivery.key))

    order = Order.objects.using(database).create(status="open")
    paid.send(sender=None, order=order)
    Order.objects.using(database).update(status="paid")
    drain(database)

    assert seen == [("paid", "open")]


def test_deliveries_of_one_key_run_in_their_order(database: str, on: Any) -> None:
    ran: list[int] = []

    @on(paid, durable="tests.note", using=database, key="order")
    def note(number: int, **kwargs: Any) -> None:
        ran.append(number)

    for number in range(6):
        paid.send(sender=None, order=number % 2, number=number)
    drain(database)

    assert [n for n in ran if n % 2] == [1, 3, 5]
    assert [n for n in ran if not n % 2] == [0, 2, 4]


@pytest.mark.parametrize(
    ("option", "expected"), [({}, []), ({"on_failure": "block"}, []), ({"on_failure": "skip"}, [2])]
)
def test_failure_holds_up_those_of_its_key_or_not(
    database: str, on: Any, option: Any, expected: list[int]
) -> None:
    ran: list[int] = []

    @on(paid, durable="tests.note", using=database, key="order", max_attempts=1, **option)
    def note(number: int, **kwargs: Any) -> None:
        if number == 1:
            raise ValueError
        ran.append(number)

    for number, order in ((1, "a"), (2, "a"), (3, "b")):
        paid.send(sender=None, order=order, number=number)
    drain(database, raises=False)

    assert sorted(ran) == [*expected, 3]
