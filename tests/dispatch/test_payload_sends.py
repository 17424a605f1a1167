"""A send must have the arguments that its signal declares: no fewer, no others."""

from __future__ import annotations

from typing import Any

import pytest

from signalpost import PayloadError, Signal, SignalpostError, signal
from tests.dispatch.heat import HOT, WAYS, dispatch, heat

WRONG = {
    "nothing": (
        {},
        "the payload lacks 'comment', 'author'. The signal sends (comment, author). "
        "Pass comment=..., author=....",
    ),
    "one missing": (
        {"comment": 1},
        "the payload lacks 'author'. The signal sends (comment, author). Pass author=....",
    ),
    "misspelt": (
        {"coment": 1, "author": 2},
        "the payload lacks 'comment' and has 'coment', which the signal doesn't declare. "
        "The signal sends (comment, author). Did you mean 'comment'?",
    ),
    "both misspelt": (
        {"coment": 1, "autor": 2},
        "the payload lacks 'comment', 'author' and has 'coment', 'autor', which the signal "
        "doesn't declare. The signal sends (comment, author). Did you mean 'comment', 'author'?",
    ),
    "unknown": (
        {"comment": 1, "author": 2, "reply_to": 3},
        "the payload has 'reply_to', which the signal doesn't declare. The signal sends "
        "(comment, author). Leave it out, or add 'reply_to' to what the signal declares.",
    ),
    "another instead": (
        {"comment": 1, "reply_to": 3},
        "the payload lacks 'author' and has 'reply_to', which the signal doesn't declare. "
        "The signal sends (comment, author). Pass author=....",
    ),
    "not an identifier": (
        {"comment": 1, "author": 2, "reply-to": 3},
        "the payload has 'reply-to', which the signal doesn't declare. The signal sends "
        "(comment, author). Leave it out, or add 'reply-to' to what the signal declares.",
    ),
    "the signal itself": (
        {"comment": 1, "author": 2, "signal": 3},
        "the payload has 'signal', which the signal doesn't declare. The signal sends "
        "(comment, author). Leave it out, or add 'signal' to what the signal declares.",
    ),
}


def comment_added() -> Signal:
    return Signal(providing_args=["comment", "author"], name="blog.comment_added")


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("way", "receivers"), [("send", 0), ("send", 1), ("send", 20), *((way, 1) for way in WAYS[1:])]
)
def test_wrong_payload_is_refused_before_any_receiver_ran(
    wrong: str, way: str, receivers: int, sends_before: int
) -> None:
    payload, text = WRONG[wrong]
    signal = comment_added()
    called: list[dict[str, Any]] = []
    kept = [lambda called=called, **named: called.append(named) for _ in range(receivers)]
    for receiver in kept:
        signal.connect(receiver)
    heat(signal, sends_before, comment=1, author=2)
    called.clear()

    with pytest.raises(PayloadError) as caught:
        dispatch(way, signal, **payload)

    assert str(caught.value) == f"Cannot send signal 'blog.comment_added': {text}"
    assert called == []


def test_wrong_payload_is_a_type_error_as_a_wrong_call_is() -> None:
    assert issubclass(PayloadError, TypeError)
    assert issubclass(PayloadError, SignalpostError)


@pytest.mark.parametrize("way", WAYS)
def test_empty_declaration_allows_no_argument(way: str, sends_before: int) -> None:
    ping = Signal(providing_args=[], name="ping")
    heat(ping, sends_before)

    assert dispatch(way, ping) == []
    with pytest.raises(PayloadError) as caught:
        dispatch(way, ping, host="localhost")

    assert str(caught.value) == (
        "Cannot send signal 'ping': the payload has 'host', which the signal doesn't declare. "
        "The signal sends (). Leave it out, or add 'host' to what the signal declares."
    )


def test_refused_payload_does_not_spoil_the_next_send() -> None:
    signal = comment_added()

    def receiver(comment: Any) -> Any:
        return comment

    signal.connect(receiver)
    for number in range(2 * HOT):
        with pytest.raises(PayloadError):
            signal.send(None, comment=number)
        assert signal.send(None, comment=number, author=0) == [(receiver, number)]


def test_order_of_the_arguments_is_the_senders_affair(sends_before: int) -> None:
    signal = comment_added()

    def receiver(author: Any, comment: Any) -> Any:
        return comment, author

    signal.connect(receiver)
    heat(signal, sends_before, comment=1, author=2)
    heat(signal, sends_before, author=2, comment=1)

    assert signal.send(None, author="a", comment="c") == [(receiver, ("c", "a"))]
    assert signal.send(None, comment="c", author="a") == [(receiver, ("c", "a"))]


@pytest.mark.parametrize("way", WAYS)
def test_payload_is_checked_for_a_sender_that_nobody_listens_to(
    way: str, sends_before: int
) -> None:
    class Comment: ...

    class Other: ...

    def receiver(comment: Any) -> None: ...

    signal = comment_added()
    signal.connect(receiver, sender=Comment)
    heat(signal, sends_before, Other, comment=1, author=2)
    heat(signal, sends_before, Comment, comment=1, author=2)

    for sender in (Comment, Other):
        with pytest.raises(PayloadError, match="lacks 'author'"):
            dispatch(way, signal, sender, comment=1)


@pytest.mark.parametrize("way", WAYS)
def test_payload_is_checked_while_the_receivers_are_muted(way: str, sends_before: int) -> None:
    def receiver(comment: Any) -> None: ...

    signal = comment_added()
    signal.connect(receiver)
    heat(signal, sends_before, comment=1, author=2)
    signal.receivers = []

    with pytest.raises(PayloadError, match="lacks 'author'"):
        dispatch(way, signal, comment=1)


@pytest.mark.parametrize("way", WAYS)
def test_payload_is_checked_where_live_receivers_is_replaced(way: str, sends_before: int) -> None:
    signal = comment_added()
    heat(signal, sends_before, comment=1, author=2)
    signal._live_receivers = lambda sender: ([], [])  # type: ignore[method-assign]

    with pytest.raises(PayloadError, match="lacks 'author'"):
        dispatch(way, signal, comment=1)


def test_error_holds_no_value_of_the_payload() -> None:
    with pytest.raises(PayloadError) as caught:
        comment_added().send("the sender", comment="a secret", autor="another secret")

    assert "secret" not in str(caught.value)
    assert "the sender" not in str(caught.value)


@pytest.mark.parametrize("way", WAYS)
def test_argument_with_a_default_may_be_left_out(way: str, sends_before: int) -> None:
    @signal
    def comment_added(
        sender: Any, *, comment: str, via: str = "web", spam: bool = False
    ) -> None: ...

    def names_all(sender: Any, comment: str, via: str, spam: bool) -> Any:
        return comment, via, spam

    def names_some(via: str) -> Any:
        return via

    def names_none(**named: Any) -> Any:
        return {name: value for name, value in named.items() if name != "signal"}

    for receiver in (names_all, names_some, names_none):
        comment_added.connect(receiver)
    heat(comment_added, sends_before, comment="x")
    heat(comment_added, sends_before, comment="x", via="app")

    assert dispatch(way, comment_added, comment="c") == [
        (names_all, ("c", "web", False)),
        (names_some, "web"),
        (names_none, {"sender": None, "comment": "c", "via": "web", "spam": False}),
    ]
    assert dispatch(way, comment_added, via="app", comment="c") == [
        (names_all, ("c", "app", False)),
        (names_some, "app"),
        (names_none, {"sender": None, "via": "app", "comment": "c", "spam": False}),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_argument_without_a_default_may_not_be_left_out(way: str, sends_before: int) -> None:
    @signal
    def comment_added(sender: Any, *, comment: str, via: str = "web") -> None: ...

    heat(comment_added, sends_before, comment="x")

    with pytest.raises(PayloadError) as caught:
        dispatch(way, comment_added, via="app")

    assert str(caught.value) == (
        f"Cannot send signal '{comment_added.name}': the payload lacks 'comment'. "
        "The signal sends (comment, via). Pass comment=...."
    )


def test_default_that_is_mutable_is_one_object_as_in_a_function(sends_before: int) -> None:
    tags: list[str] = []

    @signal
    def comment_added(sender: Any, *, tags: list[str] = tags) -> None: ...

    def receiver(tags: list[str]) -> bool:
        return tags is given

    given = tags
    comment_added.connect(receiver)
    heat(comment_added, sends_before)

    assert comment_added.send(None) == [(receiver, True)]
