"""How values of Python's own types are stored, enums and dataclasses among them.

An enum's member and a dataclass are found by name among the classes of the modules that this
process has imported, and are restored without running any of their code.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import MemberDescriptorType
from typing import Any
from uuid import UUID

from signalpost.delivery import classes
from signalpost.delivery.values import (
    TAG,
    VALUE,
    Decode,
    Encode,
    Reading,
    Unsupported,
    Writing,
    decode_value,
    decoders,
    encode_value,
    families,
    refuse,
    register,
    shown,
)
from signalpost.exceptions import PayloadUnreadable

_MANY_BITS = 8000  # beyond it, an integer may have more digits than Python writes
_HEAP_TYPE = 1 << 9  # of ``__flags__``: a class that Python code made


# Made once: `json.dumps` makes one at each call that isn't plain, which takes half of its time.
_encode_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def compose(data: Any) -> str:
    """JSON's types as text, of which there is one for each value."""
    return _encode_json(data)


# ----------------------------------------------------------------------------- numbers and texts


def _as_it_is(value: Any, writing: Writing) -> Any:
    return value


def _encode_int(value: int, writing: Writing) -> int:
    if value.bit_length() > _MANY_BITS:
        raise Unsupported("it has too many digits. Pass it as a string of hexadecimal ones.")
    return int.__int__(value)


def _encode_str(value: str, writing: Writing) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unsupported(
                "it holds half of a surrogate pair, which no encoding of text can store. Was it "
                'decoded with errors="surrogateescape"? Pass the bytes.'
            ) from None
    return str.__str__(value)


def _encode_float(value: float, writing: Writing) -> float:
    if not math.isfinite(value):
        raise Unsupported(f"{float(value)} is no number in JSON. Pass None, or leave it out.")
    return float.__float__(value)


def _encode_decimal(value: Decimal, writing: Writing) -> str:
    if not value.is_finite():
        raise Unsupported("it is no finite number. Pass None, or leave it out.")
    return Decimal.__str__(value)


def _encode_timedelta(value: timedelta, writing: Writing) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _encode_time(value: time, writing: Writing) -> str:
    if value.tzinfo is not None and value.utcoffset() is None:
        raise Unsupported(
            "its time zone has no offset without a date. Pass a datetime, or a time without a zone."
        )
    return time.isoformat(value)


def _in_iso_format(kind: Any) -> tuple[Encode, Decode]:
    # The class's own: a subclass may write what it alone can read.
    return lambda value, writing: kind.isoformat(value), lambda v, r: kind.fromisoformat(v)


# ------------------------------------------------------------------------------------ containers


def _encode_list(values: Any, writing: Writing) -> list[Any]:
    writing.descend()
    encoded: list[Any] = []
    try:
        for value in values:
            encoded.append(encode_value(value, writing))  # noqa: PERF401 - its length is the index
    except Unsupported as error:
        error.path = f"[{len(encoded)}]{error.path}"
        raise
    writing.depth -= 1
    return encoded


def _encode_set(values: Any, writing: Writing) -> list[Any]:
    writing.descend()
    try:
        encoded = sorted((encode_value(value, writing) for value in values), key=compose)
    except Unsupported as error:
        error.path = f"{{...}}{error.path}"
        raise
    writing.depth -= 1
    return encoded


def _encode_dict(values: dict[Any, Any], writing: Writing) -> Any:
    writing.descend()
    plain = TAG not in values and all(type(name) is str for name in values)
    encoded: list[tuple[Any, Any]] = []
    for name, value in values.items():
        try:
            encoded.append((encode_value(name, writing), encode_value(value, writing)))
        except Unsupported as error:
            error.path = f"[{_key(name)}]{error.path}"
            raise
    writing.depth -= 1
    if plain:
        return dict(encoded)
    pairs = sorted(([name, value] for name, value in encoded), key=compose)
    return {TAG: "dict", VALUE: pairs}


def _key(name: object) -> str:
    """A dictionary's key in an error's text, unless it may be somebody's data."""
    if type(name) is int or (type(name) is str and len(name) < 40 and name.isidentifier()):  # noqa: PLR2004 - a name's length
        return repr(name)
    return "..."


def _decode_dict(pairs: Any, reading: Reading) -> dict[Any, Any]:
    return {decode_value(name, reading): decode_value(value, reading) for name, value in pairs}


# ------------------------------------------------------------------------------ classes by name


def _encode_enum(value: Enum, writing: Writing) -> list[Any]:
    name = value._name_
    if name not in type(value).__members__:
        raise Unsupported(f"a combination of {type(value).__name__} has no name. Pass its value.")
    return [classes.path_of(type(value), Unsupported, of_python=True), name]


def _decode_enum(data: Any, reading: Reading) -> Any:
    path, name = data
    # Nothing of it is called, so it may be one of Python's: `http.HTTPStatus`, say.
    kind = classes.find(path, of_python=True)
    if not issubclass(kind, Enum):
        raise PayloadUnreadable(f"{shown(path)} is no enum")
    # As the class stores them: asking it could run code of its own.
    members: Any = classes.attribute(kind, "_member_map_")
    if name not in members:
        raise PayloadUnreadable(f"{shown(path)} has no member {shown(name)}")
    return members[name]


def _is_dataclass(kind: type) -> bool:
    return isinstance(classes.attribute(kind, "__dataclass_fields__"), dict)


@lru_cache(maxsize=1000)
def _why_not_restored(kind: type, names: tuple[str, ...]) -> str | None:
    """Why instances can't be made without running code, or None where they can."""
    if classes.attribute(kind, "__del__") is not None:
        return "has a `__del__`, which would run for what was never used"
    for base in kind.__mro__[:-1]:
        if not base.__flags__ & _HEAP_TYPE:
            return f"is a {base.__name__} too"
    for name in names:
        descriptor = type(classes.attribute(kind, name))
        if descriptor is not MemberDescriptorType and hasattr(descriptor, "__set__"):
            return f"has a field '{name}' that is a property"
    return None


def _encode_dataclass(value: Any, writing: Writing) -> list[Any]:
    kind: type = value.__class__
    path = classes.path_of(kind, Unsupported)
    names = tuple(field.name for field in fields(value))
    reason = _why_not_restored(kind, names)
    if reason is not None:
        raise Unsupported(
            f"{path} {reason}, so it isn't restored by its fields. Teach the codec: "
            "signalpost.delivery.codec.register_type."
        )
    writing.descend()
    encoded: dict[str, Any] = {}
    for name in names:
        try:
            encoded[name] = encode_value(getattr(value, name), writing)
        except Unsupported as error:
            error.path = f".{name}{error.path}"
            raise
    writing.depth -= 1
    return [path, encoded]


def _decode_dataclass(data: Any, reading: Reading) -> Any:
    path, values = data
    kind: Any = classes.find(path)
    if not _is_dataclass(kind):
        raise PayloadUnreadable(f"{shown(path)} is no dataclass")
    names = tuple(field.name for field in fields(kind))
    if set(values) != set(names):
        raise PayloadUnreadable(f"{shown(path)} has other fields by now: {', '.join(names)}")
    reason = _why_not_restored(kind, names)
    if reason is not None:
        raise PayloadUnreadable(f"{shown(path)} {reason}")
    made: Any = object.__new__(kind)
    for name, value in values.items():
        # No __init__, no __setattr__ of the class: a row must not choose what runs.
        object.__setattr__(made, name, decode_value(value, reading))
    return made


def _install() -> None:
    register(None, bool, _as_it_is, None)
    register(None, type(None), _as_it_is, None)
    for kind, encode in ((int, _encode_int), (str, _encode_str), (float, _encode_float)):
        primitive: Any = encode
        register(None, kind, primitive, None)
        register(None, kind, primitive, None, subclasses=True)
    register("decimal", Decimal, _encode_decimal, lambda v, r: Decimal(v), subclasses=True)
    register("uuid", UUID, lambda v, w: UUID.__str__(v), lambda v, r: UUID(v), subclasses=True)
    register("timedelta", timedelta, _encode_timedelta, lambda v, r: timedelta(*v), subclasses=True)
    register("datetime", datetime, *_in_iso_format(datetime), subclasses=True)
    register("date", date, *_in_iso_format(date), subclasses=True)
    register("time", time, _encode_time, lambda v, r: time.fromisoformat(v), subclasses=True)
    register(
        "bytes",
        bytes,
        lambda v, w: base64.b64encode(v).decode(),
        lambda v, r: base64.b64decode(v, validate=True),
    )
    register(None, list, _encode_list, None)
    register("tuple", tuple, _encode_list, lambda v, r: tuple([decode_value(x, r) for x in v]))
    register("set", set, _encode_set, lambda v, r: {decode_value(x, r) for x in v})
    register(
        "frozenset", frozenset, _encode_set, lambda v, r: frozenset([decode_value(x, r) for x in v])
    )
    register(None, dict, _encode_dict, None)
    decoders["dict"] = _decode_dict
    containers: list[type] = [list, tuple, set, frozenset, dict, bytes]
    for each in containers:
        own = each.__name__
        refuse(each, f"a {{name}} is more than a {own}. Pass it as one: {own}(...).")
    changing: list[type] = [bytearray, memoryview]
    for each in changing:
        refuse(each, "a {name} may change. Pass it as bytes: bytes(...).")
    register("enum", Enum, _encode_enum, _decode_enum, subclasses=True)
    register(
        "class",
        type,
        lambda v, w: classes.path_of(v, Unsupported),
        lambda v, r: classes.find(v),
        subclasses=True,
    )
    families["dataclass"] = _is_dataclass, _encode_dataclass
    decoders["dataclass"] = _decode_dataclass


_install()
