"""`Signal(providing_args=...)`: what can be declared, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from signalpost import DeclarationError, Signal, SignalpostError

NOT_A_NAME = (
    "providing_args holds {}, which can't be the name of an argument. "
    "Use names that a function's parameters could have."
)
RESERVED = "providing_args holds {}, which each send has anyway. Leave it out."

REFUSED: dict[str, tuple[Any, str]] = {
    "a string": (
        "comment",
        "providing_args must be a list of argument names, not the string 'comment'. "
        "Write providing_args=['comment'].",
    ),
    "a number": (
        5,
        "providing_args must be a list of argument names, not 5. "
        'Write providing_args=["comment"], say.',
    ),
    "signal": (["signal"], RESERVED.format("'signal'")),
    "sender": (["comment", "sender"], RESERVED.format("'sender'")),
    "self": (["self"], RESERVED.format("'self'")),
    "twice": (["comment", "author", "comment"], "providing_args holds 'comment' more than once."),
    "a keyword": (["class"], NOT_A_NAME.format("'class'")),
    "None as a name": (["None"], NOT_A_NAME.format("'None'")),
    "a dash": (["reply-to"], NOT_A_NAME.format("'reply-to'")),
    "empty": ([""], NOT_A_NAME.format("''")),
    "a space": (["comment "], NOT_A_NAME.format("'comment '")),
    "not a string": ([1], NOT_A_NAME.format("1")),
    "bytes": (b"ab", NOT_A_NAME.format("97")),
    "what no call can pass": (["__debug__"], NOT_A_NAME.format("'__debug__'")),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_list_of_names_is_refused(kind: str) -> None:
    value, text = REFUSED[kind]

    with pytest.raises(DeclarationError) as caught:
        Signal(providing_args=value)

    assert str(caught.value) == text


def test_refusal_is_a_type_error_and_a_value_error() -> None:
    assert issubclass(DeclarationError, TypeError)
    assert issubclass(DeclarationError, ValueError)
    assert issubclass(DeclarationError, SignalpostError)


@pytest.mark.parametrize(
    "given",
    [["b", "a"], ("b", "a"), {"b": 1, "a": 2}, iter(["b", "a"])],
    ids=lambda v: type(v).__name__,
)
def test_names_are_kept_in_the_order_declared(given: Any) -> None:
    assert Signal(given).providing_args == ("b", "a")


def test_later_changes_of_the_list_change_nothing() -> None:
    names = ["comment"]
    signal = Signal(providing_args=names)
    names.append("author")

    assert signal.providing_args == ("comment",)


def test_set_of_names_is_accepted_as_django_did() -> None:
    names = Signal(providing_args={"b", "a"}).providing_args

    assert names is not None
    assert set(names) == {"a", "b"}


def test_undeclared_payload_differs_from_an_empty_one() -> None:
    assert Signal().providing_args is None
    assert Signal(providing_args=None).providing_args is None
    assert Signal(providing_args=[]).providing_args == ()


@pytest.mark.parametrize(
    ("arguments", "use_caching", "providing_args"),
    [
        ((True,), True, None),
        ((False,), False, None),
        ((None, True), True, None),
        ((True, True), True, None),
        ((False, True), True, None),
        ((["a"],), False, ("a",)),
        ((["a"], True), True, ("a",)),
    ],
)
def test_a_single_boolean_still_means_use_caching(
    arguments: Any, use_caching: bool, providing_args: Any
) -> None:
    signal = Signal(*arguments)

    assert signal.use_caching is use_caching
    assert signal.providing_args == providing_args


def test_soft_keywords_and_names_of_generated_code_are_fine(sends_before: int) -> None:
    names = ["match", "type", "named", "run", "make", "call", "v0", "k0", "r0", "t0", "f", "o"]
    signal = Signal(providing_args=names)

    def receiver(**named: Any) -> Any:
        return {name: value for name, value in named.items() if name in names}

    signal.connect(receiver)
    payload = {name: number for number, name in enumerate(names)}
    for _ in range(sends_before):
        signal.send(None, **payload)

    assert signal.send(None, **payload) == [(receiver, payload)]


def test_name_written_with_other_characters_is_the_name_that_python_reads(
    sends_before: int,
) -> None:
    # Python reads `ﬁle` with a ligature as `file`, in parameters and in calls.
    signal = Signal(providing_args=["\ufb01le"])

    def receiver(file: Any) -> Any:
        return file

    signal.connect(receiver)
    for _ in range(sends_before):
        signal.send(None, file=1)

    assert signal.providing_args == ("file",)
    assert signal.send(None, file=2) == [(receiver, 2)]
