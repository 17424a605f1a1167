"""What errors and logs call a receiver: never an exception, whatever the receiver is."""

from __future__ import annotations

import functools
from typing import Any
from unittest import mock

import pytest

from signalpost.dispatch.names import receiver_name, short_name

HERE = __name__


def function(**kwargs: Any) -> None: ...


class Host:
    def method(self, **kwargs: Any) -> None: ...

    @classmethod
    def of_class(cls, **kwargs: Any) -> None: ...

    @staticmethod
    def static(**kwargs: Any) -> None: ...

    def __call__(self, **kwargs: Any) -> None: ...


class Misnamed(Host):
    __qualname__ = "Misnamed"

    def __init__(self) -> None:
        self.__qualname__ = 5  # type: ignore[assignment]
        self.__module__ = None  # type: ignore[assignment]


class Evasive(Host):
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name} here")


class Untouchable(Host):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name} here")


class Endless(Host):
    @property
    def func(self) -> Any:
        return Endless()


def named(instance: Any) -> str:
    return object.__repr__(instance)


NAMES = {
    "function": (function, "function"),
    "lambda": (lambda: None, "<lambda>"),
    "method": (Host().method, "Host.method"),
    "classmethod": (Host.of_class, "Host.of_class"),
    "staticmethod": (Host.static, "Host.static"),
    "class": (Host, "Host"),
    "object": (Host(), "Host object"),
    "partial": (functools.partial(function, a=1), "partial(function)"),
    "partial of a partial's wrapper": (
        functools.partial(functools.update_wrapper(functools.partial(function), function)),
        "partial(function)",
    ),
    "partial of a method": (functools.partial(Host().method), "partial(Host.method)"),
    "partial of an object": (functools.partial(Host()), "partial(Host object)"),
    "object that keeps a function": (
        type("Keeper", (Host,), {"func": function})(),
        "Keeper object",
    ),
}


@pytest.mark.parametrize("kind", NAMES)
def test_receiver_is_named_after_what_was_written(kind: str) -> None:
    receiver, name = NAMES[kind]

    assert (receiver_name(receiver), short_name(receiver)) == (f"{HERE}.{name}", name)


def test_local_function_is_named_after_its_place() -> None:
    def local() -> None: ...

    assert short_name(local) == "test_local_function_is_named_after_its_place.<locals>.local"


def test_builtin_is_named_after_its_module() -> None:
    assert receiver_name(print) == "builtins.print"


@pytest.mark.parametrize("make", [Evasive, Untouchable], ids=lambda make: make.__name__)
def test_receiver_that_answers_nothing_still_has_a_name(make: Any) -> None:
    receiver = make()

    assert receiver_name(receiver) == short_name(receiver) == named(receiver)


def test_receiver_with_names_that_are_no_strings_is_named_after_its_class() -> None:
    assert receiver_name(Misnamed()) == f"{HERE}.Misnamed object"


def test_receiver_that_claims_to_wrap_another_for_ever_is_named_after_its_class() -> None:
    assert receiver_name(Endless()) == f"{HERE}.Endless object"


@pytest.mark.parametrize("make", [mock.Mock, mock.MagicMock, mock.AsyncMock])
def test_mock_is_named_after_its_class_and_left_alone(make: Any) -> None:
    receiver = make()

    assert receiver_name(receiver) == f"unittest.mock.{make.__name__} object"
    assert short_name(receiver) == f"{make.__name__} object"
    # Asking a mock for an attribute makes that attribute, another mock.
    assert "func" not in receiver._mock_children
