"""A receiver that could not be called is refused when it is connected, with the cure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from signalpost import DeclarationError, ReceiverError, Signal, SignalpostError, receiver
from tests.dispatch.heat import heat

HERE = __name__


def refusal(signal: Signal, receiver: Any, **options: Any) -> str:
    """The text of the error, once it is sure that nothing was connected."""
    with pytest.raises(ReceiverError) as caught:
        signal.connect(receiver, **options)
    assert not signal.has_listeners()
    assert signal.receivers == []
    return str(caught.value)


def declared() -> Signal:
    return Signal(providing_args=["comment", "author"], name="blog.comment_added")


def undeclared() -> Signal:
    return Signal(name="blog.comment_added")


def coment(sender: Any, coment: Any) -> None: ...


def post(post: Any) -> None: ...


def two(sender: Any, autor: Any, *, coment: Any) -> None: ...


def by_position(comment: Any, /, author: Any) -> None: ...


def sender_by_position(sender: Any, /, **kwargs: Any) -> None: ...


def keyword_only(*, post: Any) -> None: ...


class Host:
    def method(self, post: Any) -> None: ...

    def __call__(self, post: Any) -> None: ...


NOT_SENT = {
    f"{HERE}.coment": (coment, "'coment'", "Did you mean 'comment'?"),
    f"{HERE}.post": (post, "'post'", None),
    f"{HERE}.two": (two, "'autor', 'coment'", "Did you mean 'author', 'comment'?"),
    f"{HERE}.keyword_only": (keyword_only, "'post'", None),
    f"{HERE}.Host.method": (Host().method, "'post'", None),
    f"{HERE}.Host object": (Host(), "'post'", None),
    f"{HERE}.partial(post)": (functools.partial(post), "'post'", None),
}


@pytest.mark.parametrize("name", NOT_SENT)
def test_receiver_that_requires_what_is_not_sent_is_refused(name: str) -> None:
    receiver, lacking, question = NOT_SENT[name]
    cure = question or f"Remove {lacking} from its parameters, or give a default."

    assert refusal(declared(), receiver) == (
        f"Cannot connect '{name}' to signal 'blog.comment_added': it requires {lacking} but the "
        f"signal sends (comment, author). {cure}"
    )


def test_kwargs_do_not_excuse_a_required_parameter_that_is_not_sent() -> None:
    def receiver(post: Any, **kwargs: Any) -> None: ...

    assert "it requires 'post' but the signal sends (comment, author)." in refusal(
        declared(), receiver
    )


@pytest.mark.parametrize(
    ("receiver", "name", "parameter"),
    [(by_position, "by_position", "comment"), (sender_by_position, "sender_by_position", "sender")],
)
def test_receiver_that_takes_arguments_by_position_only_is_refused(
    receiver: Callable[..., None], name: str, parameter: str
) -> None:
    assert refusal(declared(), receiver) == (
        f"Cannot connect '{HERE}.{name}' to signal 'blog.comment_added': it takes '{parameter}' by "
        "position only, but receivers are called with keywords. Remove the '/' from its parameters."
    )


def test_position_only_is_refused_on_a_signal_without_a_payload_too() -> None:
    # It accepts **kwargs, but no send could ever call it.
    assert refusal(undeclared(), sender_by_position) == (
        f"Cannot connect '{HERE}.sender_by_position' to signal 'blog.comment_added': it takes "
        "'sender' by position only, but receivers are called with keywords. Remove the '/' from "
        "its parameters."
    )


@pytest.mark.parametrize("make", [declared, undeclared])
@pytest.mark.parametrize("value", [5, "notify", None, object], ids=repr)
def test_what_cannot_be_called_is_refused(make: Callable[[], Signal], value: Any) -> None:
    receiver = value() if value is object else value
    expected = repr(receiver)

    assert refusal(make(), receiver) == (
        f"Signal receivers must be callable. Cannot connect {expected} to signal "
        "'blog.comment_added': pass the function itself, without calling it."
    )


@pytest.mark.parametrize(
    ("receiver", "name", "accepts"),
    [
        (post, "post", "(post)"),
        (by_position, "by_position", "(author)"),
        (Host().method, "Host.method", "(post)"),
        (Host(), "Host object", "(post)"),
    ],
)
def test_receiver_without_kwargs_is_refused_where_anything_may_be_sent(
    receiver: Any, name: str, accepts: str
) -> None:
    assert refusal(undeclared(), receiver) == (
        "Signal receivers must accept keyword arguments (**kwargs). Cannot connect "
        f"'{HERE}.{name}' to signal 'blog.comment_added': it accepts {accepts} but the signal "
        "declares no payload and may send anything. Add '**kwargs' to its parameters, or declare "
        "what the signal sends: Signal(providing_args=[...])."
    )


def test_refusal_is_what_django_would_raise() -> None:
    assert issubclass(ReceiverError, TypeError)
    assert issubclass(ReceiverError, ValueError)
    assert issubclass(ReceiverError, SignalpostError)


def test_refusal_leaves_earlier_connections_alone(sends_before: int) -> None:
    def receiver(comment: Any) -> Any:
        return comment

    signal = declared()
    signal.connect(receiver)
    heat(signal, sends_before, comment=1, author=2)

    with pytest.raises(ReceiverError):
        signal.connect(post)

    assert signal.send(None, comment=3, author=4) == [(receiver, 3)]


@pytest.mark.parametrize("priority", ["high", None, float("nan"), 1j, [1]], ids=repr)
def test_priority_that_is_not_a_number_is_refused(priority: Any) -> None:
    def receiver(**kwargs: Any) -> None: ...

    assert refusal(undeclared(), receiver, priority=priority) == (
        "Cannot connect to signal 'blog.comment_added': priority must be a number, not "
        f"{priority!r}. Higher runs earlier; the default is 0."
    )


def test_builtin_without_a_signature_is_given_the_benefit_of_the_doubt() -> None:
    signal = undeclared()
    signal.connect(dict, weak=False)

    assert signal.send("x", a=1) == [(dict, {"signal": signal, "sender": "x", "a": 1})]


@pytest.mark.parametrize(
    "value", [5, post, {1, 2}, [Signal(), "no signal"]], ids=lambda v: type(v).__name__
)
def test_receiver_decorator_refuses_what_is_no_signal(value: Any) -> None:
    faulty = value[1] if isinstance(value, list) else value

    with pytest.raises(DeclarationError) as caught:
        receiver(value)

    assert str(caught.value) == (
        f"@receiver needs a signal, or a list of signals, to connect to, not {faulty!r}. "
        "Write @receiver(my_signal)."
    )


def test_receiver_decorator_without_its_signal_says_so() -> None:
    with pytest.raises(DeclarationError, match=r"@receiver needs a signal, .* Write @receiver\("):

        @receiver
        def notify(**kwargs: Any) -> None: ...


def test_receiver_decorator_with_one_wrong_signal_connects_none() -> None:
    signal = undeclared()

    with pytest.raises(DeclarationError):

        @receiver([signal, None])
        def notify(**kwargs: Any) -> None: ...

    assert not signal.has_listeners()
