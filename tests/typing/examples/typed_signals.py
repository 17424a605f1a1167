"""`@signal`: sends, receivers and responses are checked against the declaration."""

from __future__ import annotations

# fmt: off - an expected error has to stand on the line of its cause

from collections.abc import Awaitable, Callable
from typing import Any, assert_type

from signalpost import Signal, TypedSignal, receiver, signal


class Comment:
    text = ""


class Reply(Comment): ...


@signal
def comment_added(sender: type[Comment], *, comment: Comment, via: str = "web") -> None:
    """A reader has posted a comment."""


@signal
def pinged(sender: object) -> None:
    """Nothing but the sender."""


def takes_any_signal(signal: Signal) -> bool:
    return signal.has_listeners()


def is_a_signal() -> None:
    takes_any_signal(comment_added)
    assert_type(comment_added.name, str)
    assert_type(comment_added.doc, str | None)
    assert_type(comment_added.providing_args, tuple[str, ...] | None)
    assert_type(comment_added.has_listeners(Comment), bool)


def annotates(changed: TypedSignal[[object, int]]) -> None:
    changed.send(None, 5)


async def sends(comment: Comment, reply: Reply) -> None:
    responses = comment_added.send(Comment, comment=comment)
    assert_type(responses, list[tuple[Callable[..., Any], Any]])
    comment_added.send(sender=Comment, comment=comment)
    comment_added.send(Reply, comment=reply, via="app")
    comment_added.send_robust(Comment, via="app", comment=comment)
    assert_type(await comment_added.asend(Comment, comment=comment), list[tuple[Callable[..., Any], Any]])
    await comment_added.asend_robust(sender=Comment, comment=comment)
    pinged.send(None)


async def sends_wrongly(comment: Comment) -> None:
    comment_added.send(Comment)  # expect: mypy[call-arg] pyright[reportCallIssue]
    comment_added.send(comment=comment)  # expect: mypy[call-arg] pyright[reportCallIssue]
    comment_added.send(Comment, coment=comment)  # expect: mypy[call-arg] pyright[reportCallIssue]
    comment_added.send(Comment, comment="hi")  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.send(str, comment=comment)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.send(Comment, comment)  # expect: mypy[call-arg] pyright[reportCallIssue]
    comment_added.send(Comment, comment=comment, via=5)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.send_robust(Comment, coment=comment)  # expect: mypy[call-arg] pyright[reportCallIssue]
    await comment_added.asend(Comment, coment=comment)  # expect: mypy[call-arg] pyright[reportCallIssue]
    await comment_added.asend(Comment)  # expect: mypy[call-arg] pyright[reportCallIssue]
    await comment_added.asend_robust(Comment, comment=5)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.asend(Comment, comment=comment)  # expect: mypy[unused-coroutine] pyright[reportUnusedCoroutine]
    pinged.send(None, host="localhost")  # expect: mypy[call-arg] pyright[reportCallIssue]


def notify(sender: type[Comment], comment: Comment, via: str = "web") -> str:
    return f"{sender.__name__}: {comment.text} {via}"


def open_receiver(sender: type[Comment], comment: Comment, **kwargs: Any) -> None: ...


def generous(sender: object, *, comment: object, via: object = None, level: int = 0) -> None: ...


def takes_anything(*args: Any, **kwargs: Any) -> None: ...


async def notify_async(sender: type[Comment], *, comment: Comment, via: str = "") -> None: ...


class Host:
    def method(self, sender: type[Comment], *, comment: Comment, via: str = "") -> None: ...

    def __call__(self, sender: type[Comment], *, comment: Comment, via: str = "") -> None: ...


def connects(host: Host) -> None:
    comment_added.connect(notify)
    comment_added.connect(open_receiver, Comment, False, "uid")
    comment_added.connect(generous, sender=Comment, priority=5)
    comment_added.connect(takes_anything, priority=-0.5)
    comment_added.connect(notify_async, weak=False)
    comment_added.connect(host.method, dispatch_uid="uid")
    comment_added.connect(host)
    assert_type(comment_added.disconnect(notify, sender=Comment), bool)


def without_the_default(sender: type[Comment], *, comment: Comment, via: str) -> None:
    """Could be called, for receivers are passed the default, but a ParamSpec can't tell."""


def names_part(comment: Comment) -> None:
    """Could be called, for receivers are passed what they name, but a ParamSpec can't tell."""


def misspelt(sender: type[Comment], *, coment: Comment, via: str = "") -> None: ...


def wants_more(sender: type[Comment], *, comment: Comment, via: str = "", author: str) -> None: ...


def wants_another(sender: type[Comment], *, comment: str, via: str = "") -> None: ...


def wants_another_sender(sender: type[str], *, comment: Comment, via: str = "") -> None: ...


def connects_wrongly(host: Host) -> None:
    comment_added.connect(without_the_default)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.connect(names_part)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.connect(misspelt)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.connect(wants_more)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.connect(wants_another)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.connect(wants_another_sender)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.connect(5)  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.connect(notify, priority="high")  # expect: mypy[arg-type] pyright[reportArgumentType]
    comment_added.connect(notify, Comment, False, "uid", 5)  # expect: mypy[call-arg] pyright[reportCallIssue]


@receiver(comment_added, sender=Comment, priority=5)
def decorated(sender: type[Comment], *, comment: Comment, via: str = "") -> int:
    return len(comment.text)


@receiver(comment_added)
async def decorated_async(sender: type[Comment], *, comment: Comment, via: str = "") -> int:
    return len(comment.text)


@receiver(comment_added)  # expect: mypy[arg-type] pyright[reportArgumentType]
def decorated_misspelt(sender: type[Comment], *, coment: Comment, via: str = "") -> None: ...


@receiver(comment_added)  # expect: mypy[arg-type] pyright[reportArgumentType]
def decorated_wrongly(sender: type[Comment], *, comment: int, via: str = "") -> None: ...


def decorated_receivers_can_be_called(comment: Comment) -> Awaitable[int]:
    assert_type(decorated(Comment, comment=comment, via="test"), int)
    decorated(Comment, coment=comment, via="test")  # expect: mypy[call-arg] pyright[reportCallIssue]
    return decorated_async(Comment, comment=comment, via="test")


signal(5)  # expect: mypy[arg-type] pyright[reportArgumentType]
signal()  # expect: mypy[call-arg] pyright[reportCallIssue]
