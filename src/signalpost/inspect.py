"""What is connected where, for programs: the list that ``manage.py signalpost list`` prints."""

from __future__ import annotations

import gc
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from types import CodeType
from typing import Any

from signalpost.dispatch.attributes import SignalAttributes
from signalpost.dispatch.dialect import is_ours
from signalpost.dispatch.entries import NONE_ID, Entry, Strong
from signalpost.dispatch.known import known_signals
from signalpost.dispatch.names import receiver_name, sender_name, signal_name
from signalpost.dispatch.order import arrange
from signalpost.dispatch.takeover import registry_of

#: The version of the shape that `as_data` gives, which the published schema describes.
VERSION: int = 1


@dataclass(frozen=True)
class ReceiverInfo:
    """One connection of a receiver to a signal."""

    name: str
    #: Where it is defined, or None where that can't be found.
    file: str | None
    line: int | None
    #: The sender's name, or None: called for all.
    sender: str | None
    priority: float
    #: "now", "on commit", "durable".
    delivery: str
    weak: bool
    is_async: bool
    #: The options that it was connected with, by name, as they read.
    options: dict[str, str]


@dataclass(frozen=True)
class SignalInfo:
    """One signal, with its connections in call order: sync receivers first."""

    name: str
    doc: str | None
    #: Where it is declared, or None where that can't be found.
    file: str | None
    line: int | None
    #: The names of the declared payload, or None where none is declared.
    payload: tuple[str, ...] | None
    receivers: tuple[ReceiverInfo, ...]

    @property
    def app(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, eq=False)
class Connection:
    """One connection, as the objects that it is made of: for those who need more than names."""

    signal: Any
    entry: Entry
    receiver: Any
    #: None for any sender, and for one that only its id is known of.
    sender: Any

    @property
    def is_for_any(self) -> bool:
        """Whether the receiver is called for all senders."""
        return bool(self.entry.sender_id == NONE_ID)

    @property
    def with_subclasses(self) -> bool:
        """Whether the receiver is called for the subclasses of the sender too."""
        return self.entry.rules is not None and self.entry.rules.subclasses


def signals() -> list[SignalInfo]:
    """All signals of this process that have a name or a receiver, by name.

    Those of Signalpost and, where `django.dispatch` is adopted, of Django and everybody else.
    """
    found = [info for signal in _alive() if (info := describe(signal)) is not None]
    return sorted(found, key=lambda info: info.name)


def describe(signal: Any) -> SignalInfo | None:
    """A signal and its connections; None where it has neither a name nor a receiver."""
    name = signal_name(signal)
    receivers = [_receiver(each) for each in connections_of(signal)]
    receivers.sort(key=lambda info: info.is_async)  # stable: async ones run after the others
    if "<" in name and not receivers:
        return None
    file, line = _declared(signal, name)
    return SignalInfo(
        name=name,
        doc=inspect.cleandoc(signal.doc) if isinstance(signal.doc, str) else None,
        file=file,
        line=line,
        payload=None if signal._payload is None else signal._payload.names,
        receivers=tuple(receivers),
    )


def connections() -> list[Connection]:
    """The connections of all signals that `signals` lists."""
    return [each for signal in _alive() for each in connections_of(signal)]


def connections_of(signal: Any) -> list[Connection]:
    """The connections of a signal whose receivers and senders are alive, in call order."""
    registry = registry_of(signal)
    found: list[Connection] = []
    for entry in arrange(registry.entries()):
        receiver, group = entry.reference(), registry.groups.get(entry.sender_id)
        sender = None if group is None or group.sender is None else group.sender()
        if receiver is not None and group is not None and not group.is_dead():
            found.append(Connection(signal, entry, receiver, sender))
    return found


def function_of(receiver: Any) -> Any:
    """The function that a receiver comes down to, without what decorates it, or None."""
    try:
        function: Callable[..., Any] = inspect.unwrap(receiver)
        function = getattr(function, "func", function)
        call: Any = getattr(type(function), "__call__", None)  # noqa: B004 - the function is wanted
        found: list[Any] = [each for each in (function, call) if hasattr(each, "__code__")]
    except Exception:  # noqa: BLE001 - a receiver may raise anything from __getattr__
        return None
    # A mock has everything, a __code__ too.
    return found[0] if found and isinstance(found[0].__code__, CodeType) else None


def place(receiver: Any) -> tuple[str | None, int | None]:
    """The file and line at which a receiver is defined, or None for both."""
    function = function_of(receiver)
    if function is None:
        return None, None
    return function.__code__.co_filename, function.__code__.co_firstlineno


def as_data(found: Iterable[SignalInfo]) -> dict[str, Any]:
    """The list in JSON's types: what ``--format json`` prints."""
    return {"version": VERSION, "signals": [asdict(info) for info in found]}


def _alive() -> list[Any]:
    # By their types: isinstance() would wake lazy objects up.
    kinds: dict[Any, bool] = {}

    def is_signal(kind: Any) -> bool:
        known = kinds.get(kind)
        if known is None:
            known = kinds[kind] = issubclass(kind, SignalAttributes) or (
                hasattr(kind, "_dialect") and hasattr(kind, "_live_receivers")
            )
        return known

    # Those that nothing was connected to since adoption aren't known; those that were frozen, as
    # servers do before they fork, aren't among the objects of the garbage collector.
    # Not in one display, whose list would be among the objects: it would hold itself, and all of them.
    alive: list[Any] = gc.get_objects()
    alive += known_signals()
    found = [each for each in alive if is_signal(type(each)) and is_ours(each)]
    return list({id(each): each for each in found}.values())


def _receiver(connection: Connection) -> ReceiverInfo:
    receiver, entry = connection.receiver, connection.entry
    file, line = place(receiver)
    rules = entry.rules
    deliver = None if rules is None else rules.deliver
    return ReceiverInfo(
        name=receiver_name(receiver),
        file=file,
        line=line,
        sender=None if connection.sender is None else sender_name(connection.sender),
        priority=entry.priority,
        delivery="now" if deliver is None else getattr(deliver, "kind", "on commit"),
        weak=type(entry.reference) is not Strong,
        is_async=rules.is_async if rules is not None else entry.is_async,
        options={} if rules is None else {n: _read(v) for n, v in rules.options.items()},
    )


def _declared(signal: Any, name: str) -> tuple[str | None, int | None]:
    origin = signal._origin
    module, _, variable = name.rpartition(".")
    file = _file_of(module if origin is None else origin.module)
    if file is None:
        return None, None
    if origin is not None:
        return file, origin.line
    # Made before Signalpost took over, as Django's own may be: its variable is looked for.
    assigned = re.compile(rf"\s*{re.escape(variable)}\b[^=]*=")
    lines = enumerate(linecache.getlines(file), start=1)
    return file, next((number for number, text in lines if assigned.match(text)), None)


def _file_of(module: str) -> str | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    return file if isinstance(file, str) else None


def _read(value: Any) -> str:
    if type(value) in (list, tuple, set, frozenset):
        return ", ".join(_read(each) for each in value)
    return receiver_name(value) if callable(value) else str(value)
