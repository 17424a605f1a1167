"""How the checks speak of a connection, and whose it is."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.apps import apps
from django.core import checks
from django.core.checks import CheckMessage
from django.db.models.base import ModelBase

import signalpost
from signalpost.dispatch.names import receiver_name, sender_name, signal_name
from signalpost.inspect import Connection, function_of, place
from signalpost.listing import relative

if TYPE_CHECKING:
    from django.apps import AppConfig

_PACKAGES = frozenset({"site-packages", "dist-packages"})
_OTHERS = tuple(
    Path(place).resolve()
    for place in (
        *django.__path__,
        *signalpost.__path__,
        sysconfig.get_path("stdlib"),
    )
)


def is_own(file: str | None) -> bool:
    """Whether it is the project's own code: not Python's, Django's or an installed package's."""
    if file is None or file.startswith("<"):
        return False
    path = Path(file).resolve()
    if not _PACKAGES.isdisjoint(path.parts):
        return False
    return not any(path.is_relative_to(other) for other in _OTHERS)


def is_own_receiver(connection: Connection) -> bool:
    return is_own(place(connection.receiver)[0])


def receiver(connection: Connection) -> str:
    """The receiver with its place: ``Receiver 'shop.receivers.notify' (shop/receivers.py:12)``."""
    file, line = place(connection.receiver)
    where = "" if file is None else f" ({relative(file)}:{line})"
    return f"Receiver '{receiver_name(connection.receiver)}'{where}"


def subject(connection: Connection) -> str:
    """The signal and the sender: ``signal 'shop.signals.paid' for sender 'shop.Order'``."""
    name = signal_name(connection.signal)
    if connection.is_for_any:
        return f"signal '{name}' for any sender"
    return f"signal '{name}' for sender {quoted(connection.sender)}"


def quoted(sender: Any) -> str:
    """A sender's name, of a model as Django writes it: ``'shop.Order'``."""
    options: Any = getattr(sender, "_meta", None) if isinstance(sender, ModelBase) else None
    if options is not None:  # `Model` itself has none
        return f"'{options.label}'"
    if isinstance(sender, str):
        return repr(sender)
    return "unknown" if sender is None else f"'{sender_name(sender)}'"


def some(names: Iterable[str], most: int = 3) -> str:
    """The names, of many the first few."""
    every = list(names)
    if len(every) <= most:
        return " and ".join(filter(None, [", ".join(every[:-1]), *every[-1:]]))
    return f"{', '.join(every[:most])} and {len(every) - most} more"


def module_of(connection: Connection) -> str | None:
    """The name of the module that the receiver's code was run as."""
    function = function_of(connection.receiver)
    name = getattr(function, "__globals__", {}).get("__name__")
    return name if isinstance(name, str) else None


def app_of(*connections: Connection) -> AppConfig | None:
    """The installed app that one of the receivers is in."""
    modules = [module for each in connections if (module := module_of(each)) is not None]
    found = (apps.get_containing_app_config(module) for module in modules)
    return next((config for config in found if config is not None), None)


def warning(check: str, message: str, hint: str, *connections: Connection) -> CheckMessage:
    """What a check says of a connection, or of several that are one fault."""
    return checks.Warning(message, hint=hint, obj=app_of(*connections), id=check)
