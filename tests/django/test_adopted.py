"""Django's own names, once they are adopted: `django.dispatch` with what Signalpost adds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import django.dispatch
import pytest
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models.signals import ModelSignal, post_init, post_save
from django.dispatch import Signal, receiver

import signalpost
from signalpost import PayloadError, ReceiverError

order_paid = Signal(providing_args=["order", "amount"])


class Basket:
    changed = Signal(["item"])


@pytest.fixture(autouse=True)
def built_in_signals_are_left_as_they_were() -> Iterator[None]:
    before = [signal.receivers[:] for signal in (post_save, post_init)]
    yield
    post_save.receivers, post_init.receivers = before
    for signal in (post_save, post_init, order_paid, Basket.changed):
        signal.sender_receivers_cache.clear()
    order_paid.receivers = []


def answers(signal: Any, sender: Any, **payload: Any) -> list[Any]:
    return [
        response
        for called, response in signal.send(sender, **payload)
        if getattr(called, "__module__", None) == __name__
    ]


def test_both_receivers_decorators_do_the_same() -> None:
    @receiver(order_paid)
    def by_djangos(order: Any) -> Any:
        return order

    @signalpost.receiver(order_paid)
    def by_ours(order: Any) -> Any:
        return order

    assert answers(order_paid, None, order=1, amount=2) == [1, 1]


@pytest.mark.parametrize("sender", [Group, "auth.Group"], ids=["class", "name"])
def test_options_pass_through_djangos_decorator_to_model_signals(sender: Any) -> None:
    @receiver(post_save, sender=sender)
    def normal(**kwargs: Any) -> str:
        return "normal"

    @receiver([post_save, post_init], sender=sender, priority=5)
    def early(**kwargs: Any) -> str:
        return "early"

    @receiver(post_save, sender=sender, priority=-5, weak=False, dispatch_uid="uid")
    def late(**kwargs: Any) -> str:
        return "late"

    for _ in range(10):
        assert answers(post_save, Group, instance=None) == ["early", "normal", "late"]
    assert answers(post_save, Permission, instance=None) == []
    assert answers(post_init, Group, instance=None) == ["early"]
    assert answers(post_save, Group, instance=None) == ["early", "normal", "late"]
    post_save.disconnect(early, sender=sender)
    assert answers(post_save, Group, instance=None) == ["normal", "late"]


def test_options_wait_for_a_model_that_does_not_exist_yet() -> None:
    registry = Apps()
    signal = ModelSignal()

    def normal(**kwargs: Any) -> str:
        return "normal"

    def early(**kwargs: Any) -> str:
        return "early"

    signal.connect(normal, sender="shop.Order", apps=registry)
    signal.connect(early, sender="shop.Order", apps=registry, priority=1)
    assert not signal.has_listeners()

    class Order(models.Model):
        class Meta:
            app_label = "shop"
            apps = registry

        def __str__(self) -> str:
            return "order"

    assert answers(signal, Order) == ["early", "normal"]
    assert answers(signal, Group) == []


def test_option_that_does_not_exist_is_a_type_error() -> None:
    def function(**kwargs: Any) -> None: ...

    for signal in (post_save, order_paid):
        with pytest.raises(TypeError, match="prioritty"):
            signal.connect(function, prioritty=1)
    assert function not in [row[1]() for row in post_save.receivers]


def test_saving_a_model_runs_receivers_by_priority(db: None) -> None:
    ran: list[str] = []

    @receiver(post_save, sender=Group)
    def normal(instance: Any, created: bool, **kwargs: Any) -> None:
        ran.append(f"normal {instance.name} {created}")

    @receiver(post_save, sender="auth.Group", priority=1)
    def early(instance: Any, raw: bool, **kwargs: Any) -> None:
        ran.append(f"early {instance.name} {raw}")

    for n in range(6):
        Group.objects.create(name=f"group {n}")

    assert ran == [
        line for n in range(6) for line in (f"early group {n} False", f"normal group {n} True")
    ]


def test_declared_payload_is_a_contract_on_djangos_class() -> None:
    assert order_paid.providing_args == ("order", "amount")

    @receiver(order_paid)
    def notify(amount: Any) -> Any:
        return amount

    for _ in range(10):
        assert answers(order_paid, None, order=1, amount=2) == [2]
        with pytest.raises(PayloadError, match="Did you mean 'amount'"):
            order_paid.send(None, order=1, ammount=2)


def test_refusals_on_a_declared_signal_need_no_debug_mode(settings: Any) -> None:
    settings.DEBUG = False

    def wants_more(customer: Any) -> None: ...

    def by_position(order: Any, /) -> None: ...

    for function, text in ((wants_more, "requires 'customer'"), (by_position, "by position only")):
        with pytest.raises(ReceiverError, match=text):
            order_paid.connect(function)
    with pytest.raises(ReceiverError, match="must be callable"):
        order_paid.connect(5)
    assert order_paid.receivers == []


def test_undeclared_signal_is_as_lenient_as_djangos(settings: Any) -> None:
    def closed(order: Any) -> None: ...

    signal = Signal()
    settings.DEBUG = False
    signal.connect(closed)
    settings.DEBUG = True
    with pytest.raises(
        ValueError, match=r"^Signal receivers must accept keyword arguments \(\*\*kwargs\)\."
    ):
        signal.connect(closed, dispatch_uid="again")


def test_signals_are_named_after_their_variables() -> None:
    local = Signal()

    assert order_paid.name == f"{__name__}.order_paid"
    assert Basket.changed.name == f"{__name__}.Basket.changed"
    assert local.name.startswith(f"{__name__}.<Signal at line ")
    assert Signal(name="given").name == "given"
    assert post_save.name == "django.db.models.signals.post_save"
    assert repr(order_paid) == f"<Signal '{__name__}.order_paid' (0 receivers)>"
    assert repr(post_save).startswith("<ModelSignal 'django.db.models.signals.post_save' (")


def test_subclass_of_djangos_class_may_have_a_name_and_a_doc_of_its_own() -> None:
    class Labelled(Signal):
        name = "class-wide"

        def __init__(self, doc: str) -> None:
            super().__init__()
            self.doc = doc

    signal = Labelled("of the instance")

    assert (signal.name, signal.doc) == ("class-wide", "of the instance")
    with pytest.raises(ReceiverError, match="'class-wide'"):
        Labelled.connect(signalpost.Signal(name="class-wide"), 5)


def test_signal_class_is_djangos() -> None:
    assert django.dispatch.Signal is sys.modules["django.dispatch.dispatcher"].Signal
    assert django.dispatch.Signal is not signalpost.Signal
    assert not isinstance(post_save, signalpost.Signal)
    assert isinstance(post_save, django.dispatch.Signal)
