"""Problems 13 and 14, and the rules of who is called and when."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from django.db.models.signals import class_prepared, m2m_changed, post_save, pre_save

import signalpost
from signalpost import Signal
from signalpost.exceptions import PayloadError, ReceiverError
from tests.delivery.connections import run_async
from tests.store.models import Customer, Order, OrderProxy, PriorityOrder


def refused(text: str, signal: Any = post_save, **options: Any) -> None:
    def receiver(**kwargs: Any) -> None: ...

    with pytest.raises(ReceiverError, match=text):
        signalpost.receiver(signal, **options)(receiver)
    assert not signal.disconnect(receiver, sender=options.get("sender"))


# ------------------------------------------------------------------------------- subclasses


def test_plain_receiver_misses_proxies_and_children(on: Any, using: str) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order)
    def plain(sender: Any, **kwargs: Any) -> None:
        seen.append(sender.__name__)

    for model in (Order, OrderProxy, PriorityOrder):
        model().save(using=using)
    assert seen == ["Order"]


def test_subclasses_are_senders_too(on: Any, using: str) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, subclasses=True)
    def all_orders(sender: Any, **kwargs: Any) -> None:
        seen.append(sender.__name__)

    for _ in range(10):  # code is generated for a sender that sends often
        for model in (Order, OrderProxy, PriorityOrder, Customer):
            model(name=f"{_}").save(using=using) if model is Customer else model().save(using=using)
    assert seen == ["Order", "OrderProxy", "PriorityOrder"] * 10
    assert post_save.has_listeners(PriorityOrder)
    assert not post_save.has_listeners(Customer)


def test_once_where_a_receiver_is_connected_for_a_child_too(on: Any) -> None:
    sent = Signal()
    seen: list[Any] = []

    class Base: ...

    class Child(Base): ...

    @on(sent, sender=[Base, Child], subclasses=True)
    def receiver(sender: Any, **kwargs: Any) -> None:
        seen.append(sender)

    class GrandChild(Child): ...

    for sender in (Base, Child, GrandChild, Base(), None, "Base"):
        sent.send(sender)
    assert seen == [Base, Child, GrandChild]


def test_classes_made_and_gone_later(on: Any) -> None:
    sent = Signal()
    seen: list[str] = []

    class Base: ...

    @on(sent, sender=Base, subclasses=True)
    def receiver(sender: Any, **kwargs: Any) -> None:
        seen.append(sender.__name__)

    for i in range(50):
        child = type(f"Child{i}", (Base,), {})
        other = type(f"Other{i}", (), {})
        for sender in (child, other):
            sent.send(sender)
        del child, other, sender
        gc.collect()
    assert seen == [f"Child{i}" for i in range(50)]
    sent.disconnect(receiver, sender=Base)
    assert sent.send(type("Late", (Base,), {})) == []


def test_subclasses_of_what_is_no_class_are_refused() -> None:
    refused("the sender is 5, not a class", Signal(), sender=5, subclasses=True)
    refused("without a sender it is called for all anyway", subclasses=True)


# ------------------------------------------------------------------------- several senders


def test_several_senders_in_one_call(on: Any, using: str) -> None:
    seen: list[str] = []

    @on(post_save, sender=[Order, "store.Customer"])
    def receiver(sender: Any, **kwargs: Any) -> None:
        seen.append(sender.__name__)

    Order().save(using=using)
    Customer(name="Ada").save(using=using)
    OrderProxy().save(using=using)
    assert seen == ["Order", "Customer"]
    assert post_save.disconnect(receiver, sender=[Order, "store.Customer"])
    assert not post_save.has_listeners(Customer)


def test_none_is_connected_where_one_is_refused() -> None:
    sent = Signal()

    def receiver(**kwargs: Any) -> None: ...

    with pytest.raises(ReceiverError):
        sent.connect(receiver, sender=[Order, "a.B"], subclasses=True, before="nobody")
    assert not sent.has_listeners(Order)


def test_a_list_of_other_things_is_one_sender() -> None:
    sent, sender = Signal(), [1, 2]

    def receiver(**kwargs: Any) -> str:
        return "called"

    sent.connect(receiver, sender=sender)
    assert sent.send(sender) == [(receiver, "called")]
    assert sent.send(1) == []


# -------------------------------------------------------------------------- string senders


def test_models_name_on_a_plain_signal(on: Any) -> None:
    sent = Signal()

    def receiver(**kwargs: Any) -> str:
        return "called"

    sent.connect(receiver, sender="store.Order")
    assert sent.send(Order) == [(receiver, "called")]
    assert sent.send(Customer) == []
    assert sent.disconnect(receiver, sender="store.Order")
    assert sent.send(Order) == []


@pytest.mark.filterwarnings("ignore::signalpost.DeadReceiverWarning")  # on purpose
def test_model_that_is_loaded_later() -> None:
    from django.apps import apps
    from django.db import models

    sent = Signal()

    def receiver(**kwargs: Any) -> str:
        return "called"

    def gone(**kwargs: Any) -> str:
        return "never"

    sent.connect(receiver, sender="store.LateOrder")
    sent.connect(gone, sender="store.LateOrder")
    del gone

    class LateOrder(models.Model):
        class Meta:
            app_label = "store"

        def __str__(self) -> str:
            return "late"

    del apps.all_models["store"]["lateorder"]
    apps.clear_cache()
    assert sent.send(LateOrder) == [(receiver, "called")]


def test_string_that_is_sent_itself_still_matches() -> None:
    sent = Signal()

    def receiver(**kwargs: Any) -> str:
        return "called"

    for sender in ("import finished", "store.Nothing"):
        sent.connect(receiver, sender=sender)
        assert sent.send(sender) == [(receiver, "called")]


# ------------------------------------------------------------------------------------ when


def test_when_decides(on: Any, using: str) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, when=lambda instance, **kwargs: instance.paid)
    def paid(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.status)

    @on(post_save, sender=Order, when=lambda created: created)
    async def created(instance: Order, **kwargs: Any) -> None:
        seen.append("created")

    order = Order()
    order.save(using=using)
    order.paid, order.status = True, "paid"
    order.save(using=using)
    assert seen == ["created", "paid"]


def test_skipped_receiver_gives_no_response() -> None:
    sent = Signal(providing_args=["n"])

    def even(n: int) -> str:
        return f"{n} is even"

    async def odd(n: int) -> str:
        return f"{n} is odd"

    sent.connect(even, when=lambda n: n % 2 == 0)
    sent.connect(odd, when=lambda n: n % 2)
    for send in (sent.send, sent.send_robust, sent.send_all):
        assert send(None, n=2) == [(even, "2 is even")]
        assert send(None, n=3) == [(odd, "3 is odd")]
    for asend in (sent.asend, sent.asend_robust, sent.asend_all):
        assert run_async(asend(None, n=2)) == [(even, "2 is even")]
        assert run_async(asend(None, n=3)) == [(odd, "3 is odd")]


def test_when_that_names_what_is_not_sent(on: Any) -> None:
    on(post_save, sender=Order, when=lambda instanc: True)(lambda **kwargs: None)
    with pytest.raises(PayloadError, match=r"when= of '.*lambda>' needs 'instanc', but signal"):
        post_save.send(Order, instance=None)
    refused("Did you mean 'comment'", Signal(providing_args=["comment"]), when=lambda coment: 1)


def test_when_that_is_no_function_is_refused() -> None:
    async def later(**kwargs: Any) -> bool:
        return True

    refused(r"when='paid' can't be called. Pass a function of what is sent", when="paid")
    refused("when= is async", when=later)
    refused("when= is called with keywords only", when=lambda instance, /: True)


# ------------------------------------------------------------------------------- reentrant


def test_plain_receiver_that_saves_its_instance_never_ends(on: Any, using: str) -> None:
    @on(post_save, sender=Order)
    def plain(instance: Order, using: str, **kwargs: Any) -> None:
        instance.save(using=using)

    with pytest.raises(RecursionError):
        Order().save(using=using)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("on_commit", [False, True], ids=["at once", "on commit"])
def test_not_called_again_for_an_instance_while_it_runs(
    on: Any, using: str, asynchronous: bool, on_commit: bool
) -> None:
    seen: list[Any] = []
    other = Order(status="other")

    def count(instance: Order) -> None:
        seen.append(instance.status)
        instance.total += 1
        instance.save(using=using)
        Order.objects.using(using).get(pk=instance.pk).save(using=using)
        if instance.status != "other":
            other.save(using=using)

    def counts(instance: Order, **kwargs: Any) -> None:
        count(instance)

    async def counts_later(instance: Order, **kwargs: Any) -> None:
        from asgiref.sync import sync_to_async

        await sync_to_async(count)(instance)

    receiver = counts_later if asynchronous else counts
    on(post_save, sender=Order, reentrant=False, on_commit=on_commit)(receiver)
    order = Order()
    order.save(using=using)
    assert seen == ["open", "other"]
    order.save(using=using)
    assert seen == ["open", "other"] * 2


def test_concurrent_sends_do_not_hinder_each_other() -> None:
    sent = Signal()
    seen: list[int] = []

    async def receiver(n: int, **kwargs: Any) -> None:
        await asyncio.sleep(0.01)
        seen.append(n)

    sent.connect(receiver, reentrant=False)

    async def main() -> None:
        await asyncio.gather(sent.asend(None, n=1), sent.asend(None, n=2))

    asyncio.run(main())
    assert sorted(seen) == [1, 2]


# -------------------------------------------------------------------------------- skip_raw


def test_fixtures_are_skipped(on: Any) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, skip_raw=True)
    def receiver(instance: Any, **kwargs: Any) -> None:
        seen.append(instance)

    post_save.send(Order, instance="raw", raw=True)
    post_save.send(Order, instance="saved", raw=False)
    assert seen == ["saved"]
    refused("about an argument 'raw'", Signal(providing_args=["order"]), skip_raw=True)


# ----------------------------------------------------------------------------------- order


def named(name: str, calls: list[str]) -> Any:
    def receiver(**kwargs: Any) -> None:
        calls.append(name)

    receiver.__name__ = receiver.__qualname__ = name
    receiver.__module__ = "store.receivers"
    return receiver


def test_plain_order_is_that_of_connection() -> None:
    sent, calls = Signal(), []
    kept = [named(name, calls) for name in "ab"]
    for receiver in kept:
        sent.connect(receiver)
    sent.send(None)
    assert calls == ["a", "b"]


def test_before_and_after_by_function_and_by_name() -> None:
    sent = Signal()
    calls: list[str] = []
    a, b, c, d, e = (named(name, calls) for name in "abcde")
    sent.connect(a, priority=5)
    sent.connect(b)
    sent.connect(c, before=a)
    sent.connect(d, after="store.receivers.b", priority=100)
    sent.connect(e, before=["b", c], dispatch_uid="the e")
    for _ in range(8):
        calls.clear()
        sent.send(None)
        assert calls == ["e", "b", "d", "c", "a"]
    sent.disconnect(b)
    calls.clear()
    sent.send(None)
    assert calls == ["d", "e", "c", "a"]
    sent.connect(b, after="the e")
    calls.clear()
    sent.send(None)
    # d is to follow b, though b came back later than d.
    assert calls == ["e", "c", "a", "b", "d"]


def test_unknown_receivers_and_circles_are_refused() -> None:
    sent = Signal()
    calls: list[str] = []
    a, b, c = (named(name * 5, calls) for name in "abc")
    sent.connect(a)
    refused(
        r"before='store.receivers.aaaa' names no receiver.*Did you mean 'store.receivers.aaaaa'",
        sent,
        before="store.receivers.aaaa",
    )
    refused("Connect that one first, or say after=", sent, before="zz")
    refused("Connect that one first, or say before=", sent, after=named("unlike", calls))
    refused("after=5 is neither a receiver nor the name of one", sent, after=5)
    sent.connect(b, after=a)
    with pytest.raises(
        ReceiverError,
        match=(
            r"its order is a circle: 'store.receivers.ccccc' runs after 'store.receivers.bbbbb' runs "
            r"after 'store.receivers.aaaaa' runs after 'store.receivers.ccccc'"
        ),
    ):
        sent.connect(c, before=a, after=b)
    assert len(sent.receivers) == 2


def test_order_of_async_receivers_is_theirs() -> None:
    sent = Signal()

    async def later(**kwargs: Any) -> None: ...

    async def later_too(**kwargs: Any) -> None: ...

    def soon(**kwargs: Any) -> None: ...

    sent.connect(later)
    with pytest.raises(ReceiverError, match="async receivers run after the others"):
        sent.connect(soon, after=later)
    with pytest.raises(ReceiverError, match="async receivers are awaited together"):
        sent.connect(later_too, before=later)
    sent.connect(soon, before=later)
    sent.connect(later_too, after=soon)


# -------------------------------------------------------------------------------- at large


def test_unknown_option_names_the_nearest() -> None:
    refused("there is no option 'on_comit'. Did you mean 'on_commit'", on_comit=True)
    refused("there is no option 'zzz'. The options are", zzz=True)
    with pytest.raises(TypeError):
        post_save.connect(lambda **kwargs: None, prioritty=1)  # type: ignore[call-arg]


def test_defaults_make_no_rules() -> None:
    sent = Signal()

    def receiver(**kwargs: Any) -> None: ...

    sent.connect(
        receiver, when=None, reentrant=True, skip_raw=False, on_error="raise", on_commit=False
    )
    assert not sent._ruled


def test_rules_survive_what_is_done_to_the_list_of_receivers() -> None:
    sent = Signal()
    seen: list[int] = []

    def receiver(n: int, **kwargs: Any) -> None:
        seen.append(n)

    sent.connect(receiver, when=lambda n: n > 1)
    saved = list(sent.receivers)
    sent.receivers = []
    sent.receivers = saved
    import copy

    for signal in (sent, copy.copy(sent)):
        for n in (1, 2):
            signal.send(None, n=n)
    assert seen == [2, 2]
    [row] = sent.receivers
    assert row[1]() is receiver


def test_receiver_with_rules_dies_as_any_other() -> None:
    sent = Signal()

    def receiver(**kwargs: Any) -> None: ...

    sent.connect(receiver, when=lambda **kwargs: True)
    assert sent.has_listeners()
    del receiver
    gc.collect()
    assert not sent.has_listeners()
    assert sent.send(None) == []


def test_wrappers_of_receivers_see_the_receiver() -> None:
    """As sentry-sdk wraps what `_live_receivers` gives."""
    sent = Signal()

    def receiver(**kwargs: Any) -> str:
        return "called"

    sent.connect(receiver, when=lambda n: n > 1)
    [[live], _] = sent._live_receivers(None)
    assert live.__wrapped__ is receiver
    assert (live.__module__, live.__qualname__) == (receiver.__module__, receiver.__qualname__)
    assert live(signal=sent, sender=None, n=2) == "called"
    assert live(signal=sent, sender=None, n=1) is None


@pytest.mark.parametrize("signal", [pre_save, post_save, m2m_changed, class_prepared])
def test_options_work_on_all_of_djangos_signals(on: Any, signal: Any) -> None:
    seen: list[int] = []

    @on(signal, when=lambda n, **kwargs: n > 1, priority=5)
    def receiver(n: int = 0, **kwargs: Any) -> None:
        seen.append(n)

    signal.send(Order, n=1, instance=Order(), raw=False, using="default")
    signal.send_robust(Order, n=2, instance=Order(), raw=False, using="default")
    assert seen == [2]
