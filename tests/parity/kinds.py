"""Receivers of every kind: a function, and what a class can give."""

from __future__ import annotations

from typing import Any


def free(signal: Any, sender: Any, **named: Any) -> str:
    return "function"


class Listener:
    """A receiver in each of the forms that a class can give one."""

    def hear(self, **named: Any) -> str:
        return "method"

    @classmethod
    def hear_class(cls, **named: Any) -> str:
        return f"classmethod of {cls.__name__}"

    @staticmethod
    def hear_static(**named: Any) -> str:
        return "staticmethod"

    def __call__(self, **named: Any) -> str:
        return "callable object"

    async def hear_later(self, **named: Any) -> str:
        return "async method"

    @classmethod
    async def hear_class_later(cls, **named: Any) -> str:
        return "async classmethod"
