"""Classes by their names, among the modules that are imported: nothing is imported, nothing runs.

What a row names is looked at as it stands in memory. `getattr`, and `isinstance` of what may be lazy,
could run code of whoever wrote the class.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from signalpost.delivery.values import shown
from signalpost.exceptions import PayloadUnreadable

# Of the class itself, whatever its metaclass makes of these names.
_of_type: Any = vars(type)
_module_of = _of_type["__module__"].__get__
_qualname_of = _of_type["__qualname__"].__get__
_namespace_of = _of_type["__dict__"].__get__
_bases_of = _of_type["__mro__"].__get__
_LIBRARY = str(Path(os.__file__).parent) + os.sep


def path_of(kind: type, error: Callable[[str], Exception], *, of_python: bool = False) -> str:
    """The name that `find` finds the class by, ``"shop.models:Status"``. Raises the error if none."""
    path = f"{_module_of(kind)}:{_qualname_of(kind)}"
    try:
        found = find(path, of_python=of_python)
    except PayloadUnreadable as unreadable:
        raise error(f"{unreadable} Define the class at the top level of a module.") from None
    if found is not kind:
        raise error(
            f"{path} is another class by now. Was its module loaded anew, or the class decorated?"
        )
    return path


def find(path: Any, *, of_python: bool = False) -> type:
    """The class of that name. Raises a PayloadUnreadable where no imported module defines it.

    Classes of Python's own library, such as `subprocess.Popen`, can do more than those of a project,
    so they are found only where the caller says that it does nothing with them.
    """
    module, _, qualname = path.partition(":") if type(path) is str else ("", "", "")
    if module == "__main__":
        raise PayloadUnreadable(
            f"{shown(path)} is a class of the program that was started, which isn't a worker's."
        )
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = _namespace(found).get(name)
    if not _is_class(found) or f"{_module_of(found)}:{_qualname_of(found)}" != path:
        raise PayloadUnreadable(
            f"{shown(path)} is no class that a module of this process defines. Was it renamed, or is its "
            "module not imported here?"
        )
    if not of_python and _is_of_python(module):
        raise PayloadUnreadable(
            f"{shown(path)} is a class of Python's library, which isn't stored."
        )
    return found  # type: ignore[no-any-return]  # it is one


def attribute(kind: type, name: str) -> object:
    """What the class or one of its bases has under the name, as it stands there; None if nothing."""
    for base in _bases_of(kind):
        namespace = _namespace_of(base)
        if name in namespace:
            return namespace[name]
    return None


def _namespace(value: object) -> Any:
    if _is_class(value):
        return _namespace_of(value)
    return vars(value) if type(value) is type(sys) else {}


def _is_class(value: object) -> bool:
    return issubclass(type(value), type)


def _is_of_python(module: str) -> bool:
    """Whether the module is Python's. A project may have one of the same name: ``profile``, say."""
    top = module.partition(".")[0]
    if top == "builtins" or top not in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(top), "__file__", None)
    return file is None or (file.startswith(_LIBRARY) and "site-packages" not in file)
