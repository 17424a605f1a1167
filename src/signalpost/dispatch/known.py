"""All signals that there are, for those who list or mute them."""

from __future__ import annotations

from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from signalpost.dispatch.scopes import Scope

_known: dict[int, ref[Any]] = {}
#: The scopes that are about whatever signal a receiver is connected to.
everywhere: list[Scope] = []


def reference_to(signal: Any) -> ref[Any]:
    """A weak reference to the signal, which is known from now on, for as long as it lives."""
    reference = ref(signal, _forget)
    _known[id(reference)] = reference
    return reference


def known_signals() -> list[Any]:
    """The signals that are alive and have a registry."""
    return [s for reference in list(_known.values()) if (s := reference()) is not None]


def announce(signal: Any) -> None:
    """A receiver has been connected to the signal, while some scope is about all."""
    for scope in everywhere:
        scope.include(signal)


def _forget(reference: Any, known: dict[int, ref[Any]] = _known) -> None:
    known.pop(id(reference), None)  # bound: globals may be gone when the interpreter exits
