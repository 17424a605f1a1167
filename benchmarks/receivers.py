"""The receivers that are called: they do nothing, so that only the way to them is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Receiver = Callable[..., None]
Shape = Literal["functions", "methods", "named"]


class Comment:
    """The sender of every signal that has one."""


class _Owner:
    def on_comment(self, sender: object, comment: object, **kwargs: object) -> None:
        pass


def receivers(count: int, shape: Shape = "functions") -> list[Receiver]:
    """Distinct receivers; `named` ones take only what they name, the others `**kwargs` too."""
    make = {"functions": _function, "methods": _method, "named": _named}[shape]
    return [make() for _ in range(count)]


def async_receiver() -> Callable[..., object]:
    async def on_comment(sender: object, comment: object, **kwargs: object) -> None:
        pass

    return on_comment


def model_receivers(count: int) -> list[Receiver]:
    """Receivers as a project connects them to `post_save`: they name one of its five keywords."""

    def make() -> Receiver:
        def on_save(sender: object, instance: object, **kwargs: object) -> None:
            pass

        return on_save

    return [make() for _ in range(count)]


def _function() -> Receiver:
    def on_comment(sender: object, comment: object, **kwargs: object) -> None:
        pass

    return on_comment


def _method() -> Receiver:
    return _Owner().on_comment


def _named() -> Receiver:
    def on_comment(sender: object, comment: object) -> None:
        pass

    return on_comment
