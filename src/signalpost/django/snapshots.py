"""A payload as it is now, for a receiver that runs later.

Kept are the model instances, with the values of their fields and without what they are related to,
and the lists, tuples, sets and dictionaries that hold them. All else, querysets among it, is passed
on as it is.
"""

from __future__ import annotations

import copy
from typing import Any

from django.db.models import Model
from django.db.models.fields.files import FieldFile

_CONTAINERS = (list, tuple, set, frozenset)
_MUTABLE = (list, dict, set, bytearray)


def snapshot(named: dict[str, Any]) -> dict[str, Any]:
    """The payload with copies of what its sender may change."""
    copies: dict[int, Any] = {}
    return {name: _kept(value, copies) for name, value in named.items()}


def _kept(value: Any, copies: dict[int, Any]) -> Any:
    if isinstance(value, Model):
        # One copy of each, so that what was one object for the sender is one for the receiver.
        if id(value) not in copies:
            copies[id(value)] = _kept_instance(value)
        return copies[id(value)]
    if type(value) in _CONTAINERS:
        return type(value)(_kept(item, copies) for item in value)
    if type(value) is dict:
        return _kept_items(value, copies)  # pyright: ignore[reportUnknownArgumentType]
    return value


def _kept_items(items: dict[Any, Any], copies: dict[int, Any]) -> dict[Any, Any]:
    return {key: _kept(item, copies) for key, item in items.items()}


def _kept_instance(instance: Model) -> Model:
    kept = copy.copy(instance)
    for name, value in vars(kept).items():
        if isinstance(value, FieldFile):
            file: Any = copy.copy(value)
            file.instance = kept
            vars(kept)[name] = file
        elif type(value) in _MUTABLE and not name.startswith("_"):
            vars(kept)[name] = copy.deepcopy(value)
    return kept
