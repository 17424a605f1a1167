"""What a signal declares that it sends, and what follows for senders and receivers.

Up to Django 3.0 `providing_args` was documentation, never read; 4.0 removed it. Here it is a
contract: a send is checked, so is each receiver at connect, and a receiver is passed what it names.
"""

from __future__ import annotations

from keyword import iskeyword

from signalpost.dispatch.names import receiver_name
from signalpost.dispatch.signatures import parameters_of
from signalpost.exceptions import DeclarationError, PayloadError, ReceiverError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from signalpost.dispatch.signal import Signal

RESERVED: tuple[str, ...] = ("signal", "sender", "self")


class Payload:
    """The names of the arguments that a signal sends, in the order declared.

    `defaults` holds those that a sender may leave out; receivers get the default then.
    """

    __slots__ = ("defaults", "names", "required")

    defaults: dict[str, Any]
    names: tuple[str, ...]
    required: frozenset[str]

    def __init__(self, names: Iterable[str], defaults: Mapping[str, Any] | None = None) -> None:
        self.names = tuple(_checked_names(names))
        self.defaults = dict(defaults or {})
        self.required = frozenset(self.names) - frozenset(self.defaults)

    def __str__(self) -> str:
        return f"({', '.join(self.names)})"

    def fits(self, names: tuple[str, ...]) -> bool:
        """Whether a send with these names keeps the contract."""
        sent = frozenset(names)
        return self.required <= sent <= frozenset(self.names)

    def defaults_beyond(self, names: tuple[str, ...]) -> dict[str, Any]:
        """The defaults of the arguments that a send leaves out."""
        return {name: value for name, value in self.defaults.items() if name not in names}

    def completed(self, signal: Signal, named: dict[str, Any]) -> dict[str, Any]:
        """The arguments with their defaults; PayloadError where they break the contract."""
        if not self.fits(tuple(named)):
            raise PayloadError(self._explain(signal, named))
        return {**named, **self.defaults_beyond(tuple(named))} if self.defaults else named

    def passed_to(self, receiver: Any, names: tuple[str, ...]) -> tuple[str, ...] | None:
        """The arguments that the receiver names, or None where it takes all."""
        parameters = parameters_of(receiver)
        if parameters.takes_others:
            return None
        return tuple(n for n in ("signal", "sender", *names) if n in parameters.names)

    def check(self, signal: Signal, receiver: Any, added: tuple[str, ...] = ()) -> None:
        """Refuse a receiver that needs what neither the signal sends nor its own options add."""
        parameters = parameters_of(receiver)
        sent = ("signal", "sender", *self.names, *added)
        lacking = [name for name in parameters.required if name not in sent]
        start = f"Cannot connect '{receiver_name(receiver)}' to signal '{signal.name}': "
        if lacking:
            cure = _did_you_mean(lacking, self.names) or (
                f"Remove {_quoted(lacking)} from its parameters, or give a default."
            )
            raise ReceiverError(
                f"{start}it requires {_quoted(lacking)} but the signal sends {self}. {cure}"
            )

    def _explain(self, signal: Signal, named: dict[str, Any]) -> str:
        missing = [name for name in self.names if name in self.required and name not in named]
        unknown = [name for name in named if name not in self.names]
        faults: list[str] = []
        if missing:
            faults.append(f"lacks {_quoted(missing)}")
        if unknown:
            faults.append(f"has {_quoted(unknown)}, which the signal doesn't declare")
        cure = _did_you_mean(unknown, missing or self.names)
        if not cure and missing:
            cure = f"Pass {', '.join(f'{name}=...' for name in missing)}."
        elif not cure:
            cure = f"Leave it out, or add {_quoted(unknown)} to what the signal declares."
        return (
            f"Cannot send signal '{signal.name}': the payload {' and '.join(faults)}. "
            f"The signal sends {self}. {cure}"
        )


def _checked_names(names: Any) -> list[str]:
    if isinstance(names, str):
        raise DeclarationError(
            f"providing_args must be a list of argument names, not the string {names!r}. "
            f"Write providing_args=[{names!r}]."
        )
    try:
        listed: list[Any] = list(names)
    except TypeError:
        raise DeclarationError(
            f"providing_args must be a list of argument names, not {names!r}. "
            'Write providing_args=["comment"], say.'
        ) from None
    listed = [_as_python_reads(name) for name in listed]
    for name in listed:
        if not isinstance(name, str) or not _can_be_argument(name):
            raise DeclarationError(
                f"providing_args holds {name!r}, which can't be the name of an argument. "
                "Use names that a function's parameters could have."
            )
        if name in RESERVED:
            raise DeclarationError(
                f"providing_args holds {name!r}, which each send has anyway. Leave it out."
            )
        if listed.count(name) > 1:
            raise DeclarationError(f"providing_args holds {name!r} more than once.")
    return listed


def _can_be_argument(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name) and name != "__debug__"


def _as_python_reads(name: Any) -> Any:
    """The name as the compiler has it: ``"ﬁle"``, with a ligature, is ``"file"`` to it."""
    if not isinstance(name, str) or name.isascii():
        return name
    from unicodedata import normalize

    return normalize("NFKC", name)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _did_you_mean(wrong: Iterable[str], known: Iterable[str]) -> str:
    """``"Did you mean 'comment'?"`` for the nearest spellings, or nothing."""
    from difflib import get_close_matches

    candidates = list(known)
    near = [match for name in wrong for match in get_close_matches(name, candidates, n=1)]
    return f"Did you mean {_quoted(dict.fromkeys(near))}?" if near else ""
