"""What people call a signal or a receiver. Nothing here raises, whatever it is handed.

Names go into error texts, logs and reprs, and an error while reporting an error hides the first.
"""

from __future__ import annotations

import sys

from signalpost.exceptions import DeclarationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


def check_name(name: object) -> None:
    if name is not None and not isinstance(name, str):
        raise DeclarationError(f"A signal's name must be a string, not {name!r}.")


def receiver_name(receiver: object) -> str:
    """The dotted name of a receiver: ``"blog.receivers.send_notification"``.

    A partial is named after the function it wraps, a callable object after its class.
    """
    try:
        return _dotted_name(receiver)
    except Exception:  # noqa: BLE001 - a receiver may raise anything from __getattr__
        return object.__repr__(receiver)


def short_name(receiver: object) -> str:
    """The name of a receiver without its module, as Django logs it."""
    try:
        return _qualified_name(receiver)
    except Exception:  # noqa: BLE001 - as above
        return object.__repr__(receiver)


def wrapped_by_partial(receiver: Any) -> Any:
    """The function that a `functools.partial` wraps, or None. Without importing functools."""
    functools = sys.modules.get("functools")
    return receiver.func if functools and isinstance(receiver, functools.partial) else None


def _dotted_name(receiver: Any) -> str:
    module = getattr(receiver, "__module__", None)
    if not isinstance(getattr(receiver, "__qualname__", None), str):
        inner = wrapped_by_partial(receiver)
        module = type(receiver).__module__ if inner is None else getattr(inner, "__module__", None)
    name = _qualified_name(receiver)
    return f"{module}.{name}" if isinstance(module, str) else name


def _qualified_name(receiver: Any) -> str:
    name = getattr(receiver, "__qualname__", None)
    if isinstance(name, str):
        return name
    inner = wrapped_by_partial(receiver)
    if inner is not None:
        return f"partial({_qualified_name(inner)})"
    return f"{type(receiver).__qualname__} object"


def signal_name(signal: Any) -> str:
    """What people call a signal, whoever made it."""
    name = getattr(signal, "name", None)
    if isinstance(name, str):
        return name
    return find_name(signal, None) or unnamed(type(signal).__name__, None)


def safe_repr(value: object) -> str:
    """The value's repr, or what it is where that raises."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - it may raise anything
        return object.__repr__(value)


def sent_by(sender: object) -> str:
    """As `sender_name`, at no cost: of an instance its class, for a repr may ask the database."""
    if sender is None or type(sender) in (str, int, bool):
        return repr(sender)
    return sender_name(sender if isinstance(sender, type) else type(sender))


def sender_name(sender: object) -> str:
    """What people call a sender: the dotted name of a class, else its repr."""
    try:
        module, name = getattr(sender, "__module__", None), getattr(sender, "__qualname__", None)
        return f"{module}.{name}" if module and name else repr(sender)
    except Exception:  # noqa: BLE001 - a sender may raise anything from __repr__
        return object.__repr__(sender)


class Origin:
    """Where a signal was made: enough to find the variable it was bound to, later."""

    __slots__ = ("line", "module")

    line: int
    module: str

    def __init__(self, module: str, line: int) -> None:
        self.module = module
        self.line = line

    @classmethod
    def of_caller(cls, depth: int) -> Origin:
        """The first frame above `depth` that isn't an ``__init__``: a subclass may call ours."""
        frame: FrameType | None = sys._getframe(depth)
        while frame is not None and frame.f_code.co_name == "__init__":
            frame = frame.f_back
        if frame is None:
            return cls("<unknown>", 0)
        return cls(str(frame.f_globals.get("__name__", "<unknown>")), frame.f_lineno)


def find_name(signal: object, origin: Origin | None) -> str | None:
    """The dotted path of the variable that holds the signal, or None where there is none (yet).

    A signal with an origin is looked up in the module that made it; one that was made before
    Signalpost took over is looked up in all modules that were imported.
    """
    modules = [sys.modules.get(origin.module)] if origin is not None else list(sys.modules.values())
    found = [name for module in modules if (name := _name_in(module, signal))]
    # Many modules import a signal, one defines it: Django's own is one of Django, the one of its
    # class, and called "signals" by convention.
    home = f"{type(signal).__module__}."
    found.sort(
        key=lambda name: (
            not name.startswith(home),
            not name.startswith("django."),
            ".signals." not in name,
            len(name),
            name,
        )
    )
    return found[0] if found else None


def unnamed(kind: str, origin: Origin | None) -> str:
    """What to call a signal that no variable holds: ``"blog.views.<Signal at line 12>"``."""
    if origin is None:
        return f"<{kind}>"
    return f"{origin.module}.<{kind} at line {origin.line}>"


def _attributes(cls: type) -> dict[str, Any]:
    return dict(vars(cls))


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def _name_in(module: Any, signal: object) -> str | None:
    try:
        return _search(module, signal)
    except Exception:  # noqa: BLE001 - sys.modules may hold anything
        return None


def _search(module: Any, signal: object) -> str | None:
    namespace: Any = getattr(module, "__dict__", None)
    if not _is_dict(namespace):
        return None
    name = getattr(module, "__name__", None)
    variables: dict[str, Any] = dict(namespace)
    for variable, value in variables.items():
        if value is signal:
            return f"{name}.{variable}"
    for value in variables.values():
        # By its type: isinstance() wakes lazy objects up, which may then fail.
        if issubclass(type(value), type) and value.__module__ == name:
            attributes = _attributes(value)
            for attribute, inner in attributes.items():
                if inner is signal:
                    return f"{name}.{value.__qualname__}.{attribute}"
    return None
