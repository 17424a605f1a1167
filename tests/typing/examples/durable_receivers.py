"""Durable receivers: the options, and the argument `delivery`."""

from __future__ import annotations

# fmt: off - an expected error has to stand on the line of its cause

from typing import Any, assert_type

from signalpost import GiveUp, Retry, Signal, receiver, signal, signal_context
from signalpost.delivery.codec import register_type
from signalpost.delivery.context import Delivery

order_paid = Signal(providing_args=["order"])


@signal
def order_sent(sender: object, *, order: str) -> None: ...


@receiver(order_paid, durable=True)
def plain(order: str) -> int:
    return len(order)


@receiver(order_sent, durable="shop.all", aliases=["shop.before"], max_attempts=3, backoff=[1, 2.5], queue="mail", key="order",
          on_failure="skip", timeout=5, delay=0.5, on_missing="fail", using="default", atomic=True)
def of_all_options(sender: object, *, order: str) -> int:
    return len(order)


@receiver(order_sent, durable=True, backoff=lambda attempt: 2.0 * attempt, key="order")
async def asynchronous(sender: object, *, order: str) -> int:
    return len(order)


# The signal's signature has no `delivery`, so to it that is an argument of the receiver's own.
@receiver(order_sent, durable=True)
def told(sender: object, *, order: str, delivery: Delivery | None = None) -> int:
    if delivery is None or delivery.is_last:
        raise GiveUp("no more")
    raise Retry("later", after=5.0)


@receiver(order_paid, durable=True)
def told_at_all_events(order: str, delivery: Delivery) -> int:
    return delivery.attempt


def connects() -> None:
    order_paid.connect(plain, durable="shop.plain", backoff=5)
    order_sent.connect(of_all_options, durable=True, key="order", on_failure="block")
    order_sent.connect(told, durable=True)
    order_paid.connect(told_at_all_events, durable=True)


def stay_what_they_were() -> None:
    assert_type(plain("a"), int)
    assert_type(of_all_options(None, order="a"), int)


def context_takes_any_values() -> None:
    with signal_context(actor="ada", request_id=5) as context:
        assert_type(context["actor"], Any)


def delivery_is_typed(delivery: Delivery) -> None:
    assert_type(delivery.attempt, int)
    assert_type(delivery.key, str | None)
    delivery.attempt = 5  # expect: mypy[misc] pyright[reportAttributeAccessIssue]


def types_are_registered() -> None:
    register_type(complex, name="shop.complex", encode=str, decode=complex)
    register_type(complex, name="shop.complex")  # expect: mypy[call-arg] pyright[reportCallIssue]


def wrong_options() -> None:
    order_paid.connect(plain, durable=5)  # expect: mypy[arg-type] pyright[reportArgumentType]
    order_paid.connect(plain, durable=True, max_attempts="3")  # expect: mypy[arg-type] pyright[reportArgumentType]
    order_paid.connect(plain, durable=True, backoff="soon")  # expect: mypy[arg-type] pyright[reportArgumentType]
    order_paid.connect(plain, durable=True, on_failure="stop")  # expect: mypy[arg-type] pyright[reportArgumentType]
    order_paid.connect(plain, durable=True, on_missing="raise")  # expect: mypy[arg-type] pyright[reportArgumentType]
    order_paid.connect(plain, durable=True, max_attempt=3)  # expect: mypy[call-arg] pyright[reportCallIssue]


@receiver(order_sent, durable=True)  # expect: mypy[arg-type] pyright[reportArgumentType]
def of_another_payload(sender: object, *, number: int) -> None: ...


@receiver(order_sent)  # expect: mypy[arg-type] pyright[reportArgumentType]
def told_of_nothing(sender: object, *, order: str, delivery: Delivery) -> None: ...


def raises_wrongly() -> None:
    raise Retry("later", after="soon")  # expect: mypy[arg-type] pyright[reportArgumentType]
