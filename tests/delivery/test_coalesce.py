"""Problem 9: fired N times in a transaction, where once would do."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from django.db import transaction
from django.db.models.signals import post_save
from django.test import TestCase

import signalpost
from signalpost.exceptions import PayloadError, ReceiverError
from tests.store.models import Order


def test_plain_receiver_runs_for_each_save(on: Any, using: str) -> None:
    seen: list[int] = []

    @on(post_save, sender=Order)
    def plain(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.total)

    save_twice(using)
    assert seen == [1, 2, 1, 2]


def save_twice(using: str) -> None:
    with transaction.atomic(using=using):
        for order in (Order(), Order()):
            for total in (1, 2):
                order.total = total
                order.save(using=using)


@pytest.mark.parametrize(
    "key",
    ["instance.pk", lambda instance, **kwargs: instance.pk, lambda instance: instance.pk],
    ids=["path", "function", "function of one"],
)
def test_once_for_each_key_in_a_transaction_and_the_last_wins(
    on: Any, using: str, key: Any
) -> None:
    seen: list[int] = []

    @on(post_save, sender=Order, on_commit=True, coalesce=key)
    def index(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.total)

    save_twice(using)
    assert seen == [2, 2]
    save_twice(using)
    assert seen == [2, 2, 2, 2]


def test_the_last_that_commits_wins(on: Any, using: str) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, on_commit=True, coalesce="instance.pk")
    def index(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.status)

    order = Order()
    order.save(using=using)
    seen.clear()

    def save(status: str) -> None:
        order.status = status
        order.save(using=using)

    with transaction.atomic(using=using):
        save("outer")
        with pytest.raises(ZeroDivisionError), transaction.atomic(using=using):
            save("lost")
            raise ZeroDivisionError
    assert seen == ["outer"]

    seen.clear()
    with transaction.atomic(using=using):
        with transaction.atomic(using=using):
            save("first inner")
            save("first inner, again")
        with transaction.atomic(using=using):
            save("second inner")
    assert seen == ["second inner"]

    seen.clear()
    with transaction.atomic(using=using):
        with transaction.atomic(using=using):
            save("kept")
        with pytest.raises(ZeroDivisionError), transaction.atomic(using=using):
            with transaction.atomic(using=using):
                save("lost deeper")
            save("lost")
            raise ZeroDivisionError
    assert seen == ["kept"]


def test_call_of_a_logged_receiver_that_failed_does_not_take_the_place_of_another(
    on: Any, using: str
) -> None:
    """What a failed receiver sent is undone with it, and what was sent before it stands."""
    touched = signalpost.Signal(providing_args=["key", "what", "using"])
    seen: list[str] = []

    @on(touched, on_commit=True, coalesce="key")
    def index(what: str) -> None:
        seen.append(what)

    @on(post_save, sender=Order, on_error="log")
    def fails(**kwargs: Any) -> None:
        touched.send(None, key=1, what="of the failed receiver", using=using)
        raise RuntimeError

    with transaction.atomic(using=using):
        touched.send(None, key=1, what="of the sender", using=using)
        Order().save(using=using)
    assert seen == ["of the sender"]


def test_each_database_and_each_receiver_by_itself(on: Any) -> None:
    seen: list[Any] = []

    @on(post_save, sender=Order, on_commit=True, coalesce="sender")
    def one(using: str, **kwargs: Any) -> None:
        seen.append(("one", using))

    @on(post_save, sender=Order, on_commit=True, coalesce="sender")
    def two(using: str, **kwargs: Any) -> None:
        seen.append(("two", using))

    with transaction.atomic(using="default"), transaction.atomic(using="second"):
        for using in ("default", "second", "default"):
            Order().save(using=using)
    assert sorted(seen) == [(r, u) for r in ("one", "two") for u in ("default", "second")]


def test_superseded_payloads_are_let_go_at_once(on: Any, using: str) -> None:
    touched = signalpost.Signal(providing_args=["what", "using"])

    class What:
        pass

    @on(touched, on_commit=True, coalesce="sender")
    def index(what: Any) -> None: ...

    with transaction.atomic(using=using):
        what = What()
        reference = weakref.ref(what)
        touched.send(None, what=what, using=using)
        del what
        assert reference() is not None
        touched.send(None, what=None, using=using)
        gc.collect()
        assert reference() is None


def test_in_a_test_case_that_never_commits(on: Any) -> None:
    seen: list[int] = []

    @on(post_save, sender=Order, on_commit=True, coalesce="instance.pk")
    def index(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.total)

    with transaction.atomic():
        order = Order.objects.create()
        for totals in ((1, 2), (3, 4)):
            with TestCase.captureOnCommitCallbacks(execute=True):
                for total in totals:
                    order.total = total
                    order.save()
        assert seen == [2, 4]


def test_at_once_where_there_is_no_transaction(on: Any, using: str) -> None:
    seen: list[int] = []

    @on(post_save, sender=Order, on_commit=True, coalesce="instance.pk")
    def index(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.total)

    order = Order()
    order.save(using=using)
    order.save(using=using)
    assert seen == [0, 0]


def test_path_that_cannot_be_followed_names_it(on: Any) -> None:
    @on(post_save, sender=Order, on_commit=True, coalesce="instance.pkk")
    def index(**kwargs: Any) -> None: ...

    with (
        pytest.raises(
            PayloadError, match=r"coalesce='instance.pkk' of '.*index' can't be followed"
        ),
        transaction.atomic(),
    ):
        Order().save()


def test_key_that_is_not_hashable(on: Any) -> None:
    @on(post_save, sender=Order, on_commit=True, coalesce="instance.details")
    def index(**kwargs: Any) -> None: ...

    with pytest.raises(PayloadError, match="isn't hashable"), transaction.atomic():
        Order().save()


def refused(text: str, signal: Any = post_save, **options: Any) -> None:
    def index(**kwargs: Any) -> None: ...

    with pytest.raises(ReceiverError, match=text):
        signalpost.receiver(signal, **options)(index)


def test_wrong_uses_are_refused() -> None:
    declared = signalpost.Signal(providing_args=["order"])
    refused("needs on_commit=True", coalesce="instance.pk")
    refused("is no path", on_commit=True, coalesce="instance..pk")
    refused("can't be called", on_commit=True, coalesce=5)
    refused("begins with 'ordr'", declared, on_commit=True, coalesce="ordr.pk")
    refused("Did you mean 'order'", declared, on_commit=True, coalesce=lambda ordr: ordr)
