"""Values in JSON's types and back: the table of the types that can be stored.

Values that JSON has no word for stand as ``{"$": "decimal", "v": "1.50"}``. `standard_types` has
those of Python, `signalpost.django.payloads` those of Django, `codec` what is made of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from signalpost.exceptions import PayloadUnreadable

TAG, VALUE = "$", "v"
#: How many levels of lists, dictionaries and the like a payload may have: enough for any that isn't
#: endless, and few enough to be read again, however deep the stack of the worker is.
MAX_DEPTH = 100

Encode: TypeAlias = Callable[[Any, "Writing"], Any]
Decode: TypeAlias = Callable[[Any, "Reading"], Any]


class Unsupported(Exception):
    """A value that can't be stored, and where in the payload it is; turned into a RecordingError."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path = ""


@dataclass(slots=True)
class Writing:
    """One payload that is being written."""

    #: Whether model instances are stored whole, since their rows are gone when they are read.
    snapshots: bool = False
    #: The database that it is written to.
    using: str | None = None
    depth: int = 0

    def descend(self) -> None:
        """Go one level down, into what holds others. Raises Unsupported where that is too deep."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unsupported(f"it has more than {MAX_DEPTH} levels, or holds itself.")


class Missing(PayloadUnreadable):
    """A model instance that was stored by reference has no row any more."""


class Reading:
    """One payload that is being read: for one database, with the instances found so far."""

    def __init__(self, using: str | None = None) -> None:
        self.using = using
        self.found: dict[Any, Any] = {}
        self.depth: int = 0

    def descend(self) -> None:
        """Go one level down. Raises a PayloadUnreadable where that is deeper than any that we wrote."""
        self.depth += 1
        if self.depth > 2 * MAX_DEPTH:
            raise PayloadUnreadable(f"it has more than {2 * MAX_DEPTH} levels")


encoders: dict[type, tuple[str | None, Encode]] = {}
decoders: dict[str, Decode] = {}
_for_subclasses: list[tuple[type, str | None, Encode]] = []
_resolved: dict[type, tuple[str | None, Encode]] = {}
#: By tag, the kinds of classes that have no base in common: which are of it, and how they are stored.
families: dict[str, tuple[Callable[[type], bool], Encode]] = {}
# An enum of strings is an enum first.
_PRIMITIVE = (int, str, float)


def register(
    tag: str | None, kind: type, encode: Encode, decode: Decode | None, *, subclasses: bool = False
) -> None:
    """Have values of a class stored under a tag; without one, as what `encode` gives."""
    if subclasses:
        _for_subclasses[:] = [each for each in _for_subclasses if each[0] is not kind]
        _for_subclasses.append((kind, tag, encode))
    else:
        encoders[kind] = (tag, encode)
    if tag is not None and decode is not None:
        decoders[tag] = decode
    _resolved.clear()


def refuse(kind: type, reason: str) -> None:
    """Have values of a class refused, for a reason that says what to pass instead.

    ``{name}`` in it is the name of the value's own class.
    """

    def encode(value: Any, writing: Writing) -> Any:
        raise Unsupported(reason.replace("{name}", type(value).__qualname__))

    register(None, kind, encode, None, subclasses=True)


def registered_as(tag: str) -> type | None:
    """The class whose values, and those of its subclasses, are stored under the tag."""
    return next((kind for kind, name, _ in _for_subclasses if name == tag), None)


def encode_value(value: object, writing: Writing) -> Any:
    """The value in JSON's types. Raises Unsupported."""
    kind = type(value)
    tag, encode = encoders.get(kind) or _resolve(kind)
    data = encode(value, writing)
    return data if tag is None else {TAG: tag, VALUE: data}


def decode_value(data: Any, reading: Reading) -> Any:
    """The value again. Raises a PayloadUnreadable, and whatever its type raises."""
    kind: Any = type(data)  # pyright: ignore[reportUnknownVariableType]
    if kind is not dict and kind is not list:
        return data
    reading.descend()
    value = _decode_list(data, reading) if kind is list else _decode_object(data, reading)
    reading.depth -= 1
    return value


def _decode_list(data: list[Any], reading: Reading) -> list[Any]:
    return [decode_value(value, reading) for value in data]


def _decode_object(data: dict[str, Any], reading: Reading) -> Any:
    if TAG not in data:
        return {name: decode_value(value, reading) for name, value in data.items()}
    tag = data[TAG]
    decode = decoders.get(tag) if type(tag) is str else None
    if decode is None or VALUE not in data or len(data) != 2:  # noqa: PLR2004 - tag and value
        raise PayloadUnreadable(f"{shown(tag)} is no type that this process knows")
    return decode(data[VALUE], reading)


def shown(name: object) -> str:
    """A name that stands in a row, for an error's text: what is no name isn't shown."""
    if type(name) is str and _NAME.fullmatch(name):
        return f"'{name}'"
    return "<no name>"


_NAME = re.compile(r"[\w.:]{1,255}")


def _resolve(kind: type) -> tuple[str | None, Encode]:
    found = _resolved.get(kind)
    if found is None:
        near = [each for each in _for_subclasses if each[0] in kind.__mro__]
        near.sort(key=lambda each: (each[0] in _PRIMITIVE, kind.__mro__.index(each[0])))
        found = (near[0][1], near[0][2]) if near else _of_a_family(kind)
        _resolved[kind] = found
    return found


def _of_a_family(kind: type) -> tuple[str, Encode]:
    for tag, (is_one, encode) in families.items():
        if is_one(kind):
            return tag, encode
    raise Unsupported(
        f"a {kind.__module__}.{kind.__qualname__} isn't stored. Pass what it is made of, or teach "
        "the codec: signalpost.delivery.codec.register_type."
    )
