"""What a payload is stored as: JSON, canonical and byte for byte the same for the same values.

Reading never imports and never calls what a row names: `standard_types` and
`signalpost.django.payloads` say of each type how it is found again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from signalpost.delivery.standard_types import compose
from signalpost.delivery.values import (
    Missing,
    Reading,
    Unsupported,
    Writing,
    decode_value,
    decoders,
    encode_value,
    encoders,
    refuse,
    register,
    registered_as,
    shown,
)
from signalpost.exceptions import DeclarationError, PayloadUnreadable, RecordingError

__all__ = [
    "Missing",
    "Reading",
    "Unsupported",
    "Writing",
    "compose",
    "decode_each",
    "decode_one",
    "decode_value",
    "dumps",
    "encode_each",
    "encode_value",
    "loads",
    "parse",
    "refuse",
    "register",
    "register_type",
]

#: Of the path to what can't be stored, in an error's text.
_PATH_LENGTH = 120
# What values raise that aren't what their type or tag says they are.
_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def register_type(
    kind: type, *, name: str, encode: Callable[[Any], Any], decode: Callable[[Any], Any]
) -> None:
    """Have values of a class, and of its subclasses, stored and restored.

    `encode` gives what the codec knows: a string, a number, a list or dict of such. `decode` makes a
    value of that again. `name` stands in the rows: choose it once, and keep it. Call this where the
    class is defined or in ``AppConfig.ready``: senders and workers both need it. Raises a
    DeclarationError for a name that another class has, and for a type that is stored as it is.

    >>> from fractions import Fraction
    >>> register_type(Fraction, name="fraction", encode=str, decode=Fraction)
    >>> dumps({"share": Fraction(1, 3)})
    '{"share":{"$":"fraction","v":"1/3"}}'
    """
    if not issubclass(type(kind), type) or kind in encoders:
        raise DeclarationError(
            f"Cannot teach the codec {kind!r}, which is no class, or one that is stored as it is. "
            "Name a class of your own."
        )
    if type(name) is not str or not name or (name in decoders and registered_as(name) is not kind):
        raise DeclarationError(
            f"Cannot store {kind!r} under the name {name!r}, which is taken or no text. "
            "Choose another, with your app's name in it, say."
        )

    def write(value: Any, writing: Writing) -> Any:
        try:
            data = encode(value)
        except Exception as error:
            raise Unsupported(f"encode= of '{name}' raised a {type(error).__name__}.") from error
        return encode_value(data, writing)

    register(
        name,
        kind,
        write,
        lambda data, reading: decode(decode_value(data, reading)),
        subclasses=True,
    )


def dumps(named: dict[str, Any], *, snapshots: bool = False) -> str:
    """The arguments as canonical JSON. Raises a RecordingError that names what can't be stored."""
    return compose(encode_each(named, snapshots=snapshots))


def encode_each(
    named: Mapping[str, Any], *, snapshots: bool = False, using: str | None = None
) -> dict[str, Any]:
    """The arguments in JSON's types. Raises a RecordingError that names what can't be stored."""
    encoded: dict[str, Any] = {}
    writing = Writing(snapshots, using)
    for name, value in named.items():
        path = ""
        try:
            if not name.isascii():
                encode_value(name, writing)  # to refuse what is no text
            encoded[name] = encode_value(value, writing)
            continue
        except Unsupported as error:
            path, reason, cause = error.path, str(error), error.__cause__
        except RecursionError:
            reason, cause = "it is nested too deeply, or holds itself.", None
        except _FAULTS as error:  # of an object that isn't whole
            reason, cause = f"it raised a {type(error).__name__} when it was looked at.", error
        if len(path) > _PATH_LENGTH:
            path = f"{path[:_PATH_LENGTH]}..."
        text = f"argument '{name}{path}' can't be stored: {reason}"
        raise RecordingError(text.encode("utf-8", "backslashreplace").decode()) from cause
    return encoded


def loads(text: str, reading: Reading | None = None) -> dict[str, Any]:
    """What `dumps` was given. Raises a PayloadUnreadable."""
    return decode_each(parse(text), reading or Reading())


def parse(text: str) -> Any:
    """The data of a stored text. Raises a PayloadUnreadable."""
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        # Of what `json` says, only the place: it quotes no more than that.
        raise PayloadUnreadable(f"The stored payload is no JSON: {error}") from None


def decode_each(data: Any, reading: Reading) -> dict[str, Any]:
    """The arguments that `encode_each` was given. Raises a PayloadUnreadable that names one."""
    if type(data) is not dict:
        raise PayloadUnreadable(f"The stored payload is a {type(data).__name__}, not a dictionary.")
    items: Any = data.items()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return {name: decode_one(name, value, reading) for name, value in items}


def decode_one(name: str, value: Any, reading: Reading) -> Any:
    """One argument. What the codec doesn't raise on purpose is the row's fault too."""
    reading.depth = 0  # whatever became of the one before
    try:
        return decode_value(value, reading)
    except Missing:
        raise
    except PayloadUnreadable as error:
        raise PayloadUnreadable(f"argument {shown(name)} can't be restored: {error}") from None
    except _FAULTS as error:
        # Without its text, which quotes values.
        raise PayloadUnreadable(
            f"argument {shown(name)} can't be restored: what is stored isn't what its type stores "
            f"({type(error).__name__})"
        ) from None


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return named


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


# A text that can be read in two ways is none that we wrote.
_decoder = json.JSONDecoder(object_pairs_hook=_each_name_once, parse_constant=_refuse_constant)
