"""Classes by their names, among the modules that are imported: nothing is imported, nothing runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from signalpost.exceptions import PayloadUnreadable


def path_of(kind: type, error: Callable[[str], Exception]) -> str:
    """The name that `find` finds the class by, ``"shop.models:Status"``. Raises the error if none."""
    path = f"{kind.__module__}:{kind.__qualname__}"
    try:
        found = find(path)
    except PayloadUnreadable:
        found = None
    if found is not kind:
        raise error(
            f"{kind.__module__}.{kind.__qualname__} can't be found again by its name. Define the class "
            "at the top level of a module."
        )
    return path


def find(path: Any) -> type:
    """The class of that name. Raises a PayloadUnreadable where no imported module defines it."""
    module, _, qualname = str(path).partition(":")
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        # What stands in the namespace, not what `getattr` could be made to compute.
        namespace: Any = getattr(found, "__dict__", {}) if _has_namespace(found) else {}
        found = namespace.get(name)
    if not isinstance(found, type) or f"{found.__module__}:{found.__qualname__}" != path:
        raise PayloadUnreadable(
            f"{path} is no class that a module of this process defines. Was it renamed, or is its "
            "module not imported here?"
        )
    return found


def _has_namespace(value: object) -> bool:
    return isinstance(value, type) or type(value) is type(sys)
