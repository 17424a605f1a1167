"""Problem 8: bulk operations send nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections, models, transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save, pre_save
from django.test.utils import CaptureQueriesContext

import signalpost
from signalpost.django import signals
from signalpost.exceptions import ReceiverError
from tests.delivery.connections import run_async
from tests.store.models import Item, Order


def items(using: str, *names: str) -> list[Item]:
    made = [Item(name=name) for name in names]
    for item in made:
        item.save(using=using)
    return made


def manager(using: str) -> Any:
    return Item.objects.using(using)


def listen(on: Any, signal: Any, *names: str) -> list[Any]:
    seen: list[Any] = []

    @on(signal, sender=Item)
    def receiver(**kwargs: Any) -> None:
        seen.append(tuple(kwargs[name] for name in names))

    return seen


def test_plain_bulk_writes_send_nothing(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(post_save)
    @on(pre_save)
    def plain(**kwargs: Any) -> None:
        seen.append(kwargs)

    for kind in (Order, Item):
        rows = kind._base_manager.using(using)
        made = rows.bulk_create([kind(), kind()])
        rows.bulk_update(made, ["total" if kind is Order else "stock"])
        rows.update(**{"total" if kind is Order else "stock": 5})
    assert seen == []


def test_bulk_create(on: Any, using: str) -> None:
    before = listen(on, signals.pre_bulk_create, "objs", "using", "batch_size", "ignore_conflicts")
    after = listen(on, signals.post_bulk_create, "objs", "using")
    made = manager(using).bulk_create((Item(name=name) for name in "ab"), 10)
    assert before == [(made, using, 10, False)]
    assert after == [(made, using)]
    assert all(item.pk for item in made)
    run_async(manager(using).abulk_create([Item(name="c")], ignore_conflicts=True))
    assert before[1][3] is True


def test_bulk_update(on: Any, using: str) -> None:
    both = items(using, "a", "b")
    before = listen(on, signals.pre_bulk_update, "objs", "fields", "using")
    after = listen(on, signals.post_bulk_update, "objs", "fields", "rows")
    updates = listen(on, signals.post_update, "rows")
    for item in both:
        item.stock = 7
    assert manager(using).bulk_update(both, ["stock"]) == 2
    assert before == [(tuple(both), ("stock",), using)]
    assert after == [(tuple(both), ("stock",), 2)]
    assert updates == []


def test_update_gives_the_keys_where_a_receiver_names_them(on: Any, using: str) -> None:
    a, b, _ = items(using, "a", "b", "c")

    def statements(**values: Any) -> int:
        with CaptureQueriesContext(connections[using]) as captured:
            assert manager(using).filter(name__in="ab").update(**values) == 2
        return len([q for q in captured if q["sql"].startswith(("SELECT", "UPDATE"))])

    assert statements(stock=1) == 1
    before = listen(on, signals.pre_update, "values", "keys", "using")
    assert statements(stock=2) == 1
    assert before == [({"stock": 2}, None, using)]

    seen: list[Any] = []

    @on(signals.post_update, sender=Item)
    def receiver(keys: Any, rows: int) -> None:
        seen.append((set(keys), rows))

    assert statements(name="renamed", stock=F("stock") + 1) == 2
    assert seen == [({a.pk, b.pk}, 2)]


def test_each_object_of_a_bulk_write(on: Any, using: str) -> None:
    seen: list[Any] = []

    @on(pre_save, sender=Item, bulk=True)
    def before(instance: Item, raw: bool, using: str, **kwargs: Any) -> None:
        seen.append(("before", instance.name, instance.stock))

    @on(post_save, sender=Item, bulk=True)
    def after(instance: Item, created: bool, update_fields: Any, **kwargs: Any) -> None:
        seen.append(("after", instance.name, instance.stock, created, update_fields))

    @on(post_save, sender=Item, bulk=True)
    async def later(instance: Item, **kwargs: Any) -> None:
        seen.append("async")

    @on(post_save, sender=Item)
    def not_of_bulk_writes(**kwargs: Any) -> None:
        seen.append("plain")

    Item(name="saved").save(using=using)
    assert seen == [("before", "saved", 0), ("after", "saved", 0, True, None), "plain", "async"]
    manager(using).all().delete()
    seen.clear()

    both = manager(using).bulk_create([Item(name="a"), Item(name="b")])
    assert seen == [
        ("before", "a", 0),
        ("before", "b", 0),
        ("after", "a", 0, True, None),
        "async",
        ("after", "b", 0, True, None),
        "async",
    ]
    seen.clear()
    both[0].stock = 3
    manager(using).bulk_update(both[:1], ["stock"])
    fields = frozenset({"stock"})
    assert seen == [("before", "a", 3), ("after", "a", 3, False, fields), "async"]
    seen.clear()
    manager(using).filter(name="a").update(stock=F("stock") + 1)
    assert seen == [("before", "a", 3), ("after", "a", 4, False, fields), "async"]


def test_changed_fields_of_bulk_writes(on: Any, using: str) -> None:
    both = items(using, "a", "b")
    seen: list[Any] = []

    @on(post_save, sender=Item, bulk=True, fields=["stock"], on_commit=True)
    def receiver(instance: Item, changes: Any, **kwargs: Any) -> None:
        seen.append((instance.name, changes["stock"].old, changes["stock"].new))

    both[0].stock = 3
    with transaction.atomic(using=using):
        with CaptureQueriesContext(connections[using]) as captured:
            manager(using).bulk_update(both, ["stock"])
        assert len([q for q in captured if q["sql"].startswith("SELECT")]) == 1
        manager(using).update(stock=F("stock") + 1)
        manager(using).bulk_create([Item(name="c", stock=9)])
        assert seen == []
    assert seen == [("a", 0, 3), ("a", 3, 4), ("b", 0, 1), ("c", None, 9)]


def test_fields_before_a_bulk_update(on: Any, using: str) -> None:
    both = items(using, "a", "b")
    seen: list[Any] = []

    @on(pre_save, sender=Item, bulk=True, fields=["stock"])
    def receiver(instance: Item, changes: Any, **kwargs: Any) -> None:
        seen.append((instance.name, changes["stock"]))

    both[1].stock = 3
    with CaptureQueriesContext(connections[using]) as captured:
        manager(using).bulk_update(both, ["stock"])
    assert len([q for q in captured if q["sql"].startswith("SELECT")]) == 1
    assert seen == [("b", (0, 3))]


def test_nothing_is_queried_where_nobody_listens(using: str) -> None:
    rows = manager(using)
    with CaptureQueriesContext(connections[using]) as captured:
        made = rows.bulk_create([Item(name="a")])
        rows.bulk_update(made, ["stock"])
        rows.update(stock=1)
    kinds = [q["sql"].split()[0] for q in captured]
    assert [kind for kind in kinds if kind in ("SELECT", "INSERT", "UPDATE")] == [
        "INSERT",
        "UPDATE",
        "UPDATE",
    ]


def test_failure_of_a_receiver_before_stops_the_write(on: Any, using: str) -> None:
    @on(signals.pre_bulk_create, sender=Item)
    def stops(objs: Any) -> None:
        raise ValueError("not these")

    with pytest.raises(ValueError, match="not these"):
        manager(using).bulk_create([Item(name="a")])
    assert not manager(using).exists()


def test_update_of_a_slice_is_djangos_error(on: Any, using: str) -> None:
    listen(on, signals.pre_update, "values")
    with pytest.raises(TypeError, match="slice"):
        manager(using).all()[:1].update(stock=1)


def test_querysets_of_others_are_left_alone() -> None:
    assert models.QuerySet.bulk_create.__module__ == "django.db.models.query"
    assert type(Order.objects) is models.Manager


def test_bulk_on_another_signal_is_refused() -> None:
    with pytest.raises(ReceiverError, match="bulk= is for pre_save and post_save"):
        signalpost.receiver(post_delete, sender=Item, bulk=True)(lambda **kwargs: None)
