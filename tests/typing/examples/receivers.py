"""`@receiver`: the decorated function stays what it was."""

from __future__ import annotations

# fmt: off - an expected error has to stand on the line of its cause

from collections.abc import Callable, Coroutine
from typing import Any, assert_type

from signalpost import Signal, receiver, signal

order_paid = Signal(providing_args=["order"])
order_sent = Signal()


@receiver(order_paid)
def plain(order: str) -> int:
    return len(order)


@receiver([order_paid, order_sent], sender=object, weak=False, dispatch_uid="uid", priority=3)
def of_two(sender: object, order: str = "", **kwargs: Any) -> int:
    return len(order)


@receiver(order_sent)
@receiver((order_paid,))
def stacked(sender: object, order: str = "", **kwargs: Any) -> int:
    return len(order)


@receiver(order_sent)
async def asynchronous(sender: object, **kwargs: Any) -> int:
    return len(kwargs)


@signal
def order_lost(sender: object, *, order: str) -> None: ...


@signal
def order_found(sender: object, *, order: str) -> None: ...


@receiver([order_lost, order_found])
def of_two_typed(sender: object, *, order: str) -> int:
    return len(order)


class SignalOfAnotherLibrary:
    def connect(self, receiver: Callable[..., Any], sender: Any = None, weak: bool = True) -> None: ...


@receiver(SignalOfAnotherLibrary(), weak=False)
def of_another_library(sender: object, **kwargs: Any) -> int:
    return len(kwargs)


class Host:
    @receiver(order_sent)
    @staticmethod
    def static(sender: object, **kwargs: Any) -> int:
        return len(kwargs)


def stays_what_it_was() -> None:
    assert_type(plain("a"), int)
    assert_type(of_two(None, "a", extra=1), int)
    assert_type(stacked(None), int)
    coroutine: Coroutine[Any, Any, int] = asynchronous(None)
    coroutine.close()
    assert_type(of_two_typed(None, order="a"), int)
    assert_type(of_another_library(None), int)
    assert_type(Host.static(None), int)
    assert_type(plain.__name__, str)


def is_still_checked() -> None:
    plain()  # expect: mypy[call-arg] pyright[reportCallIssue]
    plain(5)  # expect: mypy[arg-type] pyright[reportArgumentType]
    of_two(None, order=5)  # expect: mypy[arg-type] pyright[reportArgumentType]
    of_two_typed(None, ordre="a")  # expect: mypy[call-arg] pyright[reportCallIssue]


@receiver("order_paid")  # expect: mypy[arg-type] pyright[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
def of_a_string(**kwargs: Any) -> None: ...


@receiver()  # expect: mypy[call-overload, untyped-decorator] pyright[reportCallIssue, reportUntypedFunctionDecorator]
def of_nothing(**kwargs: Any) -> None: ...


@receiver([order_paid, "order_sent"])  # expect: mypy[list-item] pyright[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
def of_a_string_too(**kwargs: Any) -> None: ...


@receiver(plain)  # expect: mypy[call-overload, untyped-decorator] pyright[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
def of_a_function(**kwargs: Any) -> None: ...
