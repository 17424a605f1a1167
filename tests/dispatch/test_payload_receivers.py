"""A receiver of a signal that declares its payload names what it wants, and gets that."""

from __future__ import annotations

import functools
import inspect
from typing import Any
from unittest import mock

import pytest

from signalpost import Signal, receiver
from tests.dispatch.heat import HOT, WAYS, called_by_generated_code, dispatch, heat, responses

COMMENT, AUTHOR, SENDER = "the comment", "the author", type("Sender", (), {})


def comment_added() -> Signal:
    return Signal(providing_args=["comment", "author"], name="blog.comment_added")


def known(named: dict[str, Any]) -> dict[str, Any]:
    """The arguments in their order, the signal as a word."""
    return {name: "it" if isinstance(value, Signal) else value for name, value in named.items()}


class Host:
    def method(self, comment: Any) -> Any:
        return type(self).__name__, comment

    def open_method(self, **named: Any) -> Any:
        return list(named)

    @classmethod
    def of_class(cls, author: Any) -> Any:
        return cls.__name__, author

    @staticmethod
    def static(sender: Any, author: Any) -> Any:
        return sender, author

    def __call__(self, comment: Any, author: Any) -> Any:
        return comment, author


class Notice:
    def __init__(self, comment: Any) -> None:
        self.comment = comment

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Notice) and other.comment == self.comment

    __hash__ = object.__hash__


def mailed(mailer: Any, comment: Any, *, subject: str = "New") -> Any:
    return mailer, comment, subject


def passes_all(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **named: Any) -> Any:
        assert args == ()
        return "wrapped", function(**named)

    return wrapper


RECEIVERS: dict[str, tuple[Any, Any]] = {
    "nothing": (lambda: "called", "called"),
    "one": (lambda comment: comment, COMMENT),
    "the other": (lambda author: author, AUTHOR),
    "both, in another order": (lambda author, comment: (author, comment), (AUTHOR, COMMENT)),
    "the sender": (lambda sender: sender, SENDER),
    "the signal": (lambda signal: signal.name, "blog.comment_added"),
    "everything": (
        lambda signal, sender, comment, author: (signal.name, sender, comment, author),
        ("blog.comment_added", SENDER, COMMENT, AUTHOR),
    ),
    "keyword-only": (lambda *, comment: comment, COMMENT),
    "what is sent, with a default": (lambda comment="default": comment, COMMENT),
    "what isn't sent, with a default": (lambda comment, level=3: (comment, level), (COMMENT, 3)),
    "only defaults": (lambda *, level=3: level, 3),
    "*args alone": (lambda *args: args, ()),
    "**kwargs alone": (
        lambda **named: list(known(named).items()),
        [("signal", "it"), ("sender", SENDER), ("comment", COMMENT), ("author", AUTHOR)],
    ),
    "*args and **kwargs": (lambda *args, **named: (args, len(named)), ((), 4)),
    "Django's signature": (
        lambda sender, comment, **named: (sender, comment, known(named)),
        (SENDER, COMMENT, {"signal": "it", "author": AUTHOR}),
    ),
    "by position only, with a default": (
        lambda level=3, /, *, comment: (level, comment),
        (3, COMMENT),
    ),
    "method": (Host().method, ("Host", COMMENT)),
    "open method": (Host().open_method, ["signal", "sender", "comment", "author"]),
    "classmethod": (Host.of_class, ("Host", AUTHOR)),
    "staticmethod": (Host.static, (SENDER, AUTHOR)),
    "object": (Host(), (COMMENT, AUTHOR)),
    "class": (Notice, Notice(COMMENT)),
    "partial": (functools.partial(mailed, "smtp"), ("smtp", COMMENT, "New")),
    "partial with a keyword": (
        functools.partial(mailed, "smtp", subject="Hi"),
        ("smtp", COMMENT, "Hi"),
    ),
    "decorated": (passes_all(lambda comment: comment), ("wrapped", COMMENT)),
    "decorated method": (
        functools.partial(passes_all(Host.method), self=Host()),
        ("wrapped", ("Host", COMMENT)),
    ),
    "cached": (functools.lru_cache(lambda author: author), AUTHOR),
    "builtin with a signature": (functools.partial(str.upper, "x"), "X"),
    "mock": (mock.Mock(return_value="mocked"), "mocked"),
}


@pytest.mark.parametrize("kind", RECEIVERS)
@pytest.mark.parametrize(
    ("way", "weak"), [("send", True), ("send", False), *((way, True) for way in WAYS[1:])]
)
def test_receiver_is_passed_what_it_names(kind: str, way: str, weak: bool) -> None:
    function, response = RECEIVERS[kind]
    signal = comment_added()
    signal.connect(function, weak=weak)

    sent = dispatch(way, signal, SENDER, comment=COMMENT, author=AUTHOR)
    if way == "send":
        heat(signal, HOT, SENDER, comment=1, author=2)
        assert signal.send(SENDER, comment=COMMENT, author=AUTHOR) == sent

    assert sent == [(function, response)]


def test_mock_is_passed_everything(sends_before: int) -> None:
    receiver = mock.MagicMock()
    signal = comment_added()
    signal.connect(receiver)
    heat(signal, sends_before, comment=1, author=2)

    signal.send(SENDER, comment=COMMENT, author=AUTHOR)

    receiver.assert_called_with(signal=signal, sender=SENDER, comment=COMMENT, author=AUTHOR)


def test_receiver_that_states_its_signature_is_passed_what_that_names(sends_before: int) -> None:
    # As `mock.create_autospec(notify)` does.
    def notify(comment: Any) -> None: ...

    def receiver(*args: Any, **named: Any) -> Any:
        return named

    receiver.__signature__ = inspect.signature(notify)  # type: ignore[attr-defined]
    signal = comment_added()
    signal.connect(receiver)
    heat(signal, sends_before, comment=1, author=2)

    assert signal.send(SENDER, comment=COMMENT, author=AUTHOR) == [(receiver, {"comment": COMMENT})]


def test_decorator_that_wants_more_than_what_it_decorates_gets_it(sends_before: int) -> None:
    # As decorators do that log the sender, say, and pass only the rest on.
    def notify(comment: Any) -> Any:
        return comment

    @functools.wraps(notify)
    def logged(sender: Any, comment: Any) -> Any:
        return sender, notify(comment)

    signal = comment_added()
    signal.connect(logged)
    heat(signal, sends_before, comment=1, author=2)

    assert responses(signal.send(SENDER, comment=COMMENT, author=AUTHOR)) == [(SENDER, COMMENT)]


@pytest.mark.parametrize("way", ["asend", "asend_robust", "send", "send_robust"])
def test_async_receiver_is_passed_what_it_names(way: str) -> None:
    async def names_one(comment: Any) -> Any:
        return comment

    async def names_another(sender: Any, *, author: Any) -> Any:
        return sender, author

    signal = comment_added()
    signal.connect(names_one)
    assert responses(dispatch(way, signal, SENDER, comment=COMMENT, author=AUTHOR)) == [COMMENT]
    signal.connect(names_another)
    assert responses(dispatch(way, signal, SENDER, comment=COMMENT, author=AUTHOR)) == [
        COMMENT,
        (SENDER, AUTHOR),
    ]


def test_receivers_of_mixed_signatures_run_in_one_piece_of_generated_code() -> None:
    seen: list[bool] = []
    signal = comment_added()
    functions = [
        lambda comment: seen.append(called_by_generated_code()),
        lambda author, **named: seen.append(called_by_generated_code()),
        lambda: seen.append(called_by_generated_code()),
    ]
    for function in functions:
        signal.connect(function)
    heat(signal, HOT, comment=1, author=2)
    seen.clear()

    signal.send(None, comment=1, author=2)

    assert seen == [True, True, True]


def test_receiver_decorator_takes_a_function_that_names_only_part() -> None:
    signal = comment_added()

    @receiver(signal)
    def notify(comment: Any) -> Any:
        return comment

    assert signal.send(None, comment=COMMENT, author=AUTHOR) == [(notify, COMMENT)]
