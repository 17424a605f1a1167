"""What is a context manager and a decorator of functions, async functions and test classes."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, TypeVar

    T = TypeVar("T")


class Block(ABC):
    """Begins and ends; used by ``with``, ``async with`` and as a decorator.

    A class is decorated as `unittest.mock.patch` does it: each method whose name begins with
    "test".
    """

    @abstractmethod
    def copy(self) -> Self:
        """One that hasn't begun: each call of a decorated function gets its own."""

    @abstractmethod
    def begin(self) -> Any:
        """Begin, and give what ``as`` names."""

    @abstractmethod
    def end(self) -> None:
        """End, however the block was left."""

    def __enter__(self) -> Any:
        return self.begin()

    def __exit__(self, *exc_info: object) -> None:
        self.end()

    async def __aenter__(self) -> Any:
        return self.begin()

    async def __aexit__(self, *exc_info: object) -> None:
        self.end()

    def __call__(self, decorated: T) -> T:
        """The function, or the class's tests, inside of the block."""
        if isinstance(decorated, type):
            for name in dir(decorated):
                method = getattr(decorated, name)
                if name.startswith("test") and inspect.isfunction(method):
                    setattr(decorated, name, self(method))
            return decorated
        function: Any = decorated
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with self.copy():
                    return await function(*args, **kwargs)

            return run_async  # type: ignore[return-value]  # T is a function

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self.copy():
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]  # T is a function
