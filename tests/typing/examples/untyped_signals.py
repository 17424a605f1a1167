"""`Signal` without a declared signature: what is connected and how is checked, payloads are not."""

from __future__ import annotations

# fmt: off - an expected error has to stand on the line of its cause

from collections.abc import Callable
from typing import Any, assert_type

from signalpost import Signal


class Sender: ...


undeclared = Signal()
declared = Signal(providing_args=["comment", "author"], name="blog.comment_added", doc="Posted.")
caching = Signal(use_caching=True)
as_django_has_it = Signal(True)

Signal(5)  # expect: mypy[arg-type] pyright[reportArgumentType]
Signal(providing_args=[1])  # expect: mypy[list-item] pyright[reportArgumentType]
Signal(name=5)  # expect: mypy[arg-type] pyright[reportArgumentType]
Signal([], False, "name")  # expect: mypy[call-arg] pyright[reportCallIssue]
Signal(provided_args=["a"])  # expect: mypy[call-arg] pyright[reportCallIssue]


def attributes() -> None:
    assert_type(undeclared.name, str)
    assert_type(undeclared.doc, str | None)
    assert_type(undeclared.providing_args, tuple[str, ...] | None)
    assert_type(undeclared.use_caching, bool)
    undeclared.receivers = []
    with undeclared.lock:
        undeclared.sender_receivers_cache.clear()


async def sends() -> None:
    assert_type(undeclared.send(Sender), list[tuple[Callable[..., Any], Any]])
    assert_type(undeclared.send_robust(None, a=1), list[tuple[Callable[..., Any], Any]])
    assert_type(await undeclared.asend(sender="me", a=1), list[tuple[Callable[..., Any], Any]])
    assert_type(await undeclared.asend_robust(Sender), list[tuple[Callable[..., Any], Any]])
    for called, response in declared.send(Sender, comment="hi", author="me"):
        assert_type(called, Callable[..., Any])
        assert_type(response, Any)


async def sends_wrongly() -> None:
    undeclared.send()  # expect: mypy[call-arg] pyright[reportCallIssue]
    undeclared.send(Sender, "hi")  # expect: mypy[call-arg] pyright[reportCallIssue]
    undeclared.asend(Sender)  # expect: mypy[unused-coroutine] pyright[reportUnusedCoroutine]
    for _ in undeclared.asend(Sender):  # expect: mypy[attr-defined] pyright[reportGeneralTypeIssues, reportUnknownVariableType]
        pass


def open_receiver(sender: type[Sender], **kwargs: Any) -> None: ...


def closed_receiver(comment: str) -> str:
    return comment


async def async_receiver(**kwargs: Any) -> None: ...


def connects() -> None:
    undeclared.connect(open_receiver, Sender, False, "uid", priority=1)
    undeclared.connect(async_receiver, sender=Sender, weak=True, dispatch_uid=("any", "thing"))
    declared.connect(closed_receiver, priority=0.5)
    declared.connect(str.upper, weak=False)
    assert_type(undeclared.disconnect(open_receiver, Sender), bool)
    assert_type(undeclared.disconnect(dispatch_uid="uid"), bool)
    assert_type(undeclared.has_listeners(), bool)
    assert_type(undeclared.has_listeners(Sender), bool)


def connects_wrongly() -> None:
    undeclared.connect()  # expect: mypy[call-arg] pyright[reportCallIssue]
    undeclared.connect("open_receiver")  # expect: mypy[arg-type] pyright[reportArgumentType]
    undeclared.connect(open_receiver, priority="high")  # expect: mypy[arg-type] pyright[reportArgumentType]
    undeclared.connect(open_receiver, None, True, None, 1)  # expect: mypy[call-arg] pyright[reportCallIssue]
    undeclared.connect(open_receiver, prioritty=1)  # expect: mypy[call-arg] pyright[reportCallIssue]
    undeclared.connect(open_receiver, weak="no")  # expect: mypy[arg-type] pyright[reportArgumentType]


class OrderSignal(Signal):
    """Subclasses extend what Django's users extend."""

    def __init__(self, label: str) -> None:
        super().__init__(providing_args=["order"])
        self.label = label

    def _live_receivers(self, sender: Any) -> tuple[list[Callable[..., Any]], list[Callable[..., Any]]]:
        sync, asynchronous = super()._live_receivers(sender)
        return sync[:1], asynchronous

    def send(self, sender: Any, **named: Any) -> list[tuple[Callable[..., Any], Any]]:
        return super().send(sender, **named)
