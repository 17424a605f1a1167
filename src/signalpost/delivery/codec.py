"""What a payload is stored as: JSON, canonical and byte for byte the same for the same values.

Values that JSON has no word for stand as ``{"$": "decimal", "v": "1.50"}``. Reading never imports and
never calls what a row names: enums and dataclasses are looked up among the classes of the modules
that this process has imported, and are restored without running any of their code.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias, cast
from uuid import UUID

from signalpost.delivery import classes
from signalpost.exceptions import DeclarationError, PayloadUnreadable, RecordingError

TAG, VALUE = "$", "v"

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


class Missing(PayloadUnreadable):
    """A model instance that was stored by reference has no row any more."""


class Reading:
    """One payload that is being read: for one database, with the instances found so far."""

    def __init__(self, using: str | None = None) -> None:
        self.using = using
        self.found: dict[Any, Any] = {}


_encoders: dict[type, tuple[str | None, Encode]] = {}
_for_subclasses: list[tuple[type, str | None, Encode]] = []
_decoders: dict[str, Decode] = {}
_resolved: dict[type, tuple[str | None, Encode] | None] = {}
_PRIMITIVE = (int, str, float)
_MANY_BITS = 8000  # beyond it, an integer may have more digits than Python writes


def register_type(
    kind: type, *, name: str, encode: Callable[[Any], Any], decode: Callable[[Any], Any]
) -> None:
    """Have values of a class, and of its subclasses, stored and restored.

    `encode` gives what the codec knows: a string, a number, a list or dict of such. `decode` makes a
    value of that again. `name` stands in the rows: choose it once, and keep it. Call this where the
    class is defined or in ``AppConfig.ready``: senders and workers both need it. Raises a
    DeclarationError for a name that another class has.

    >>> from fractions import Fraction
    >>> register_type(Fraction, name="fraction", encode=str, decode=Fraction)
    >>> dumps({"share": Fraction(1, 3)})
    '{"share":{"$":"fraction","v":"1/3"}}'
    """
    taken = next((each for each, tag, _ in _for_subclasses if tag == name), None)
    if not name or (name in _decoders and taken is not kind):
        raise DeclarationError(
            f"Cannot store {kind!r} under the name {name!r}, which is taken or no text. "
            "Choose another, with your app's name in it, say."
        )
    register(
        name,
        kind,
        lambda value, writing: encode_value(encode(value), writing),
        lambda data, reading: decode(decode_value(data, reading)),
        subclasses=True,
    )


def register(
    tag: str | None, kind: type, encode: Encode, decode: Decode | None, *, subclasses: bool = False
) -> None:
    """As `register_type`, with the whole of what is being written and read."""
    if subclasses:
        _for_subclasses[:] = [each for each in _for_subclasses if each[0] is not kind]
        _for_subclasses.append((kind, tag, encode))
    else:
        _encoders[kind] = (tag, encode)
    if tag is not None and decode is not None:
        _decoders[tag] = decode
    _resolved.clear()


def refuse(kind: type, reason: str) -> None:
    """Have values of a class refused, for a reason that says what to pass instead."""

    def encode(value: Any, writing: Writing) -> Any:
        raise Unsupported(reason)

    register(None, kind, encode, None, subclasses=True)


def dumps(named: dict[str, Any], *, snapshots: bool = False) -> str:
    """The arguments as canonical JSON. Raises a RecordingError that names what can't be stored."""
    return compose(encode_each(named, snapshots=snapshots))


def encode_each(named: dict[str, Any], *, snapshots: bool = False) -> dict[str, Any]:
    """The arguments in JSON's types. Raises a RecordingError that names what can't be stored."""
    writing = Writing(snapshots)
    encoded: dict[str, Any] = {}
    for name, value in named.items():
        try:
            encoded[name] = encode_value(value, writing)
        except Unsupported as error:
            raise RecordingError(
                f"argument '{name}{error.path}' can't be stored: {error}"
            ) from None
        except RecursionError:
            raise RecordingError(
                f"argument '{name}' can't be stored: it is nested too deeply, or holds itself."
            ) from None
    return encoded


def compose(data: Any) -> str:
    """JSON's types as text, of which there is one for each value."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def loads(text: str, reading: Reading | None = None) -> dict[str, Any]:
    """What `dumps` was given. Raises a PayloadUnreadable."""
    return decode_each(parse(text), reading or Reading())


def parse(text: str) -> Any:
    """The data of a stored text. Raises a PayloadUnreadable."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PayloadUnreadable(f"The stored payload is no JSON: {error}") from None


def decode_each(data: Any, reading: Reading) -> dict[str, Any]:
    """The arguments that `encode_each` was given. Raises a PayloadUnreadable that names one."""
    if type(data) is not dict:
        raise PayloadUnreadable(f"The stored payload is a {type(data).__name__}, not a dictionary.")
    items: dict[str, Any] = data
    return {name: decode_one(name, value, reading) for name, value in items.items()}


def decode_one(name: str, value: Any, reading: Reading) -> Any:
    """One argument. What the codec doesn't raise on purpose is the row's fault too."""
    try:
        return decode_value(value, reading)
    except Missing:
        raise
    except PayloadUnreadable as error:
        raise PayloadUnreadable(f"argument '{name}' can't be restored: {error}") from error
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise PayloadUnreadable(f"argument '{name}' can't be restored: {error!r}") from error


def encode_value(value: Any, writing: Writing) -> Any:
    kind = type(value)
    found = _encoders.get(kind)
    if found is None:
        found = _resolve(kind, value)
    tag, encode = found
    data = encode(value, writing)
    return data if tag is None else {TAG: tag, VALUE: data}


def _resolve(kind: type, value: Any) -> tuple[str | None, Encode]:
    if kind not in _resolved:
        # An enum of strings is an enum first.
        near = [each for each in _for_subclasses if each[0] in kind.__mro__]
        near.sort(key=lambda each: (each[0] in _PRIMITIVE, kind.__mro__.index(each[0])))
        _resolved[kind] = (near[0][1], near[0][2]) if near else None
    found = _resolved[kind]
    if found is None and is_dataclass(kind):
        found = ("dataclass", _encode_dataclass)
    if found is None:
        raise Unsupported(
            f"a {kind.__module__}.{kind.__qualname__} isn't stored. Pass what it is made of, or teach "
            "the codec: signalpost.delivery.codec.register_type."
        )
    return found


def decode_value(data: Any, reading: Reading) -> Any:
    kind = type(data)
    if kind is dict:
        if TAG not in data:
            return {name: decode_value(value, reading) for name, value in data.items()}
        tag = data[TAG]
        decode = _decoders.get(tag) if type(tag) is str else None
        if decode is None or VALUE not in data or len(data) != 2:  # noqa: PLR2004 - tag and value
            raise PayloadUnreadable(f"{tag!r} is no type that this process knows.")
        return decode(data[VALUE], reading)
    if kind is list:
        return [decode_value(value, reading) for value in data]
    return data


# --------------------------------------------------------------------------------- the types


def _as_it_is(value: Any, writing: Writing) -> Any:
    return value


def _encode_int(value: int, writing: Writing) -> int:
    if value.bit_length() > _MANY_BITS:
        raise Unsupported("it has too many digits. Pass it as a string of hexadecimal ones.")
    return int(value)


def _encode_str(value: str, writing: Writing) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unsupported(
                "it holds half of a surrogate pair, which no encoding of text can store. Was it "
                'decoded with errors="surrogateescape"? Pass the bytes.'
            ) from None
    return str(value)


def _encode_float(value: float, writing: Writing) -> float:
    if not math.isfinite(value):
        raise Unsupported(f"{value} is no number in JSON. Pass None, or leave it out.")
    return float(value)


def _encode_decimal(value: Decimal, writing: Writing) -> str:
    if not value.is_finite():
        raise Unsupported(f"{value} is no finite number. Pass None, or leave it out.")
    return str(value)


def _encode_list(values: Any, writing: Writing) -> list[Any]:
    encoded: list[Any] = []
    for index, value in enumerate(values):
        try:
            encoded.append(encode_value(value, writing))
        except Unsupported as error:
            error.path = f"[{index}]{error.path}"
            raise
    return encoded


def _encode_set(values: Any, writing: Writing) -> list[Any]:
    return sorted(_encode_list(values, writing), key=compose)


def _encode_dict(values: dict[Any, Any], writing: Writing) -> Any:
    plain = TAG not in values and all(type(name) is str for name in values)
    encoded: list[tuple[Any, Any]] = []
    for name, value in values.items():
        try:
            encoded.append((encode_value(name, writing), encode_value(value, writing)))
        except Unsupported as error:
            error.path = f"[{name!r}]{error.path}"
            raise
    if plain:
        return dict(encoded)
    pairs = sorted(([name, value] for name, value in encoded), key=compose)
    return {TAG: "dict", VALUE: pairs}


def _decode_dict(pairs: Any, reading: Reading) -> dict[Any, Any]:
    return {decode_value(name, reading): decode_value(value, reading) for name, value in pairs}


def _encode_enum(value: Enum, writing: Writing) -> list[Any]:
    if value.name not in type(value).__members__:
        raise Unsupported(f"{value!r} is a combination without a name. Pass its value.")
    return [classes.path_of(type(value), Unsupported), value.name]


def _decode_enum(data: Any, reading: Reading) -> Any:
    path, name = data
    kind = classes.find(path)
    if not issubclass(kind, Enum):
        raise PayloadUnreadable(f"{path} is no enum.")
    # As the class stores them: asking it could run code of its own.
    member = vars(kind)["_member_map_"].get(name)
    if member is None:
        raise PayloadUnreadable(f"{path} has no member {name!r}.")
    return member


def _encode_dataclass(value: Any, writing: Writing) -> list[Any]:
    path = classes.path_of(type(value), Unsupported)
    encoded: dict[str, Any] = {}
    for field in fields(value):
        try:
            encoded[field.name] = encode_value(getattr(value, field.name), writing)
        except Unsupported as error:
            error.path = f".{field.name}{error.path}"
            raise
    return [path, encoded]


def _decode_dataclass(data: Any, reading: Reading) -> Any:
    path, values = data
    kind: Any = classes.find(path)
    if not is_dataclass(kind):
        raise PayloadUnreadable(f"{path} is no dataclass.")
    names = {field.name for field in fields(kind)}
    if set(values) != names:
        raise PayloadUnreadable(f"{path} has the fields {sorted(names)}, not {sorted(values)}.")
    made: Any = object.__new__(cast("type", kind))
    for name, value in values.items():
        # No __init__, no __setattr__ of the class: a row must not choose what runs.
        object.__setattr__(made, name, decode_value(value, reading))
    return made


def _encode_class(value: type, writing: Writing) -> str:
    return classes.path_of(value, Unsupported)


def _encode_timedelta(value: timedelta, writing: Writing) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _install() -> None:
    register(None, bool, _as_it_is, None)
    register(None, type(None), _as_it_is, None)
    primitive: list[tuple[type, Encode]] = [
        (int, _encode_int),
        (str, _encode_str),
        (float, _encode_float),
    ]
    for kind, encode in primitive:
        register(None, kind, encode, None)
        register(None, kind, encode, None, subclasses=True)
    register("decimal", Decimal, _encode_decimal, lambda v, r: Decimal(v), subclasses=True)
    register(None, list, _encode_list, None)
    register("tuple", tuple, _encode_list, lambda v, r: tuple(decode_value(each, r) for each in v))
    register("set", set, _encode_set, lambda v, r: {decode_value(each, r) for each in v})
    register(
        "frozenset",
        frozenset,
        _encode_set,
        lambda v, r: frozenset(decode_value(each, r) for each in v),
    )
    register(None, dict, _encode_dict, None)
    _decoders["dict"] = _decode_dict
    register(
        "bytes",
        bytes,
        lambda v, w: base64.b64encode(v).decode(),
        lambda v, r: base64.b64decode(v, validate=True),
    )
    times: list[Any] = [datetime, date, time]
    for kind in times:
        read = _isoformat_reader(kind)
        register(kind.__name__, kind, lambda v, w: v.isoformat(), read, subclasses=True)
    register("timedelta", timedelta, _encode_timedelta, lambda v, r: timedelta(v[0], v[1], v[2]))
    register("uuid", UUID, lambda v, w: str(v), lambda v, r: UUID(v), subclasses=True)
    register("enum", Enum, _encode_enum, _decode_enum, subclasses=True)
    register("class", type, _encode_class, lambda v, r: classes.find(v), subclasses=True)
    _decoders["dataclass"] = _decode_dataclass


def _isoformat_reader(kind: Any) -> Decode:
    return lambda value, reading: kind.fromisoformat(value)


_install()
