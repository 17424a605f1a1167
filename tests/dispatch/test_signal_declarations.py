"""`@signal`: what a function declares, and which functions can't declare one."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from signalpost import DeclarationError, ReceiverError, Signal, TypedSignal, signal
from tests.dispatch.heat import dispatch

HERE = __name__
UNCLEAR = (
    "its signature has '*args', '**kwargs' or '/', so it doesn't say what the signal sends. "
    "Name each argument."
)


@signal
def comment_added(sender: type, *, comment: str, via: str = "web") -> None:
    """A reader has posted a comment."""


def test_declared_signal_is_a_signal_with_the_functions_payload() -> None:
    assert isinstance(comment_added, TypedSignal)
    assert isinstance(comment_added, Signal)
    assert comment_added.providing_args == ("comment", "via")


def test_declared_signal_keeps_name_docstring_and_module_of_the_function() -> None:
    assert comment_added.name == f"{HERE}.comment_added"
    assert comment_added.doc == "A reader has posted a comment."
    assert comment_added.__module__ == HERE
    assert repr(comment_added) == f"<TypedSignal '{HERE}.comment_added' (0 receivers)>"


def test_function_is_never_called() -> None:
    @signal
    def declared(sender: Any) -> None:
        pytest.fail("the declaration was called")

    declared.connect(lambda: "received", weak=False)

    assert [response for _, response in dispatch("send", declared)] == ["received"]


def test_declaration_without_a_payload_sends_nothing_but_the_sender() -> None:
    @signal
    def pinged(sender: Any) -> None: ...

    assert pinged.providing_args == ()


def test_local_declaration_is_named_after_its_place() -> None:
    @signal
    def local(sender: Any) -> None: ...

    assert (
        local.name
        == f"{HERE}.{test_local_declaration_is_named_after_its_place.__name__}.<locals>.local"
    )


def test_generic_alias_can_be_evaluated() -> None:
    assert TypedSignal[Any] is TypedSignal


def test_receivers_are_checked_against_the_declaration() -> None:
    def receiver(coment: str) -> None: ...

    with pytest.raises(ReceiverError) as caught:
        comment_added.connect(receiver)  # type: ignore[arg-type]

    assert str(caught.value).endswith(
        f"to signal '{HERE}.comment_added': it requires 'coment' but the signal sends "
        "(comment, via). Did you mean 'comment'?"
    )


def anything(sender: Any, **kwargs: Any) -> None: ...


def varargs(sender: Any, *args: Any) -> None: ...


def by_position(sender: Any, /, *, comment: str) -> None: ...


@pytest.mark.parametrize("function", [anything, varargs, by_position])
def test_signature_that_leaves_the_payload_open_is_refused(function: Any) -> None:
    with pytest.raises(DeclarationError) as caught:
        signal(function)

    assert str(caught.value) == f"Cannot declare signal '{HERE}.{function.__name__}': {UNCLEAR}"


def no_sender(*, comment: str) -> None: ...


def nothing() -> None: ...


def sender_second(comment: str, sender: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "declares"),
    [
        (no_sender, "(comment)"),
        (nothing, "()"),
        (sender_second, "(comment, sender)"),
    ],
)
def test_sender_must_be_the_first_parameter(function: Any, declares: str) -> None:
    # Type checkers believe the signature: `send(comment, sender)` would be right to them.
    with pytest.raises(DeclarationError) as caught:
        signal(function)

    assert str(caught.value) == (
        f"Cannot declare signal '{HERE}.{function.__name__}': its first parameter must be "
        f"'sender', which each send has; it declares {declares}."
    )


def test_payload_declared_by_position_is_sent_by_keyword() -> None:
    def positional(sender: Any, comment: str) -> None: ...

    declared = signal(positional)

    def receiver(comment: str) -> str:
        return comment

    declared.connect(receiver)

    assert declared.send(None, comment="hi") == [(receiver, "hi")]
    with pytest.raises(TypeError):
        declared.send(None, "hi")


def test_sender_that_may_be_left_out_is_refused() -> None:
    # Type checkers would let `send(comment="hi")` pass, which fails when it is run.
    def optional(sender: Any = None, *, comment: str) -> None: ...

    with pytest.raises(DeclarationError, match=r"'sender' has a default"):
        signal(optional)


@pytest.mark.parametrize("name", ["signal", "self"])
def test_reserved_names_are_refused(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def reserved(sender, *, {name}): ...", namespace)

    with pytest.raises(DeclarationError, match=rf"'{name}', which each send has anyway"):
        signal(namespace["reserved"])


@pytest.mark.parametrize(
    "value",
    [functools.partial(nothing), print, type("Class", (), {}), "comment_added", None],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_function_is_refused(value: Any) -> None:
    with pytest.raises(DeclarationError) as caught:
        signal(value)

    assert str(caught.value) == (
        f"@signal needs a function, whose parameters it declares, not {value!r}. "
        "Write `@signal` above `def name(sender, *, ...): ...`, without parentheses."
    )
