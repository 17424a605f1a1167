"""Classes whose values the tests store."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Self


class Color(enum.Enum):
    RED = 1
    GREEN = "green"
    ROUGE = 1  # noqa: PIE796 - an alias


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Status(enum.StrEnum):
    OPEN = "open"
    PAID = "paid"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Outer:
    class Inner(enum.Enum):
        ONE = 1


@dataclass(frozen=True, slots=True)
class Money:
    amount: Any
    currency: str = "EUR"


@dataclass
class Line:
    price: Any
    count: int = 1
    #: Set by nobody: restoring a line must not call `__post_init__`.
    made: ClassVar[int] = 0

    def __post_init__(self) -> None:
        type(self).made += 1


@dataclass
class Basket:
    lines: list[Any] = field(default_factory=list)


class Point(NamedTuple):
    x: int
    y: int


ran: list[str] = []


@dataclass
class WithProperty:
    name: str = ""

    def _get(self) -> str:
        return "computed"

    def _set(self, value: str) -> None:
        ran.append(f"property set to {value}")

    name = property(_get, _set)  # type: ignore[assignment]  # noqa: PIE794 - what it is about


@dataclass
class WithDel:
    path: str = ""

    def __del__(self) -> None:
        ran.append(f"deleted {self.path}")


@dataclass
class Checked:
    """Would run code of its own in each way that an object is made."""

    number: int

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        ran.append("__new__")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        ran.append("__post_init__")

    def __setattr__(self, name: str, value: Any) -> None:
        ran.append(f"__setattr__ {name}")
        super().__setattr__(name, value)

    def __setstate__(self, state: Any) -> None:
        ran.append("__setstate__")


@dataclass
class OfDict(dict[str, int]):
    number: int = 0


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        ran.append(f"metaclass asked for {name}")
        return super().__getattribute__(name)


class Watched(metaclass=Meta):
    pass


class Lazy:
    """As a lazy object of Django's does: it says that it is of another class."""

    @property
    def __class__(self) -> type:  # type: ignore[override]  # what it is about
        ran.append("woken")
        return type


lazy: Any = Lazy()


class Temperature:
    """Of a class that the codec has to be taught."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Temperature) and other.degrees == self.degrees

    def __hash__(self) -> int:
        return hash(self.degrees)


class Fever(Temperature):
    pass
