"""What a save changed: `Change`, and the frozen mapping of them that receivers get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Change(NamedTuple):
    """A field's value before and after a save. `old` is None where the row was created."""

    old: Any
    new: Any


class Changes(Mapping[str, Change]):
    """The fields that changed, by the names that the receiver was connected with.

    >>> changes = Changes({"status": Change("open", "paid")})
    >>> changes["status"].old, changes["status"].new
    ('open', 'paid')
    """

    __slots__ = ("_changes",)

    def __init__(self, changes: Mapping[str, Change]) -> None:
        self._changes = dict(changes)

    def __getitem__(self, name: str) -> Change:
        return self._changes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __repr__(self) -> str:
        each = (f"{name}: {change.old!r} → {change.new!r}" for name, change in self.items())
        return f"<Changes {', '.join(each)}>"
