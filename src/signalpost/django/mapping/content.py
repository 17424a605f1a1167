"""What the map shows: apps, with the signals and the receivers that belong to each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from signalpost.inspect import SignalInfo, as_data
from signalpost.listing import portable

#: The app of what has a name without a module.
NOWHERE = "(no app)"


@dataclass(frozen=True, slots=True)
class ReceiverItem:
    """One receiver, with all its connections."""

    name: str
    #: Its name in the app, in two: ``"receivers."`` and ``"send_notification"``.
    short: tuple[str, str]
    #: The id of its element.
    anchor: str
    #: As in the list's JSON, with the `signal` that each is to.
    connections: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def inner(self) -> bool:
        """Whether it is Django's, and receives nothing but what Django sends."""
        return all(_is_djangos(each["app"], each["signal_app"]) for each in self.connections)

    @property
    def places(self) -> list[str]:
        """Where it is defined: several, if the name is that of several receivers."""
        return list(dict.fromkeys(each["place"] for each in self.connections if each["place"]))


@dataclass(frozen=True, slots=True)
class App:
    """An app, or a package that is none, with what is declared in it."""

    name: str
    #: As in the list's JSON.
    signals: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    receivers: dict[str, ReceiverItem] = field(default_factory=dict[str, ReceiverItem])


def map_data(found: Iterable[SignalInfo]) -> dict[str, Any]:
    """The list in JSON's types, with the app of each signal and of each receiver."""
    data = portable(as_data(found))
    for signal in data["signals"]:
        signal["app"] = app_of(signal["name"])
        for receiver in signal["receivers"]:
            receiver["app"] = app_of(receiver["name"])
    return data


def by_app(data: dict[str, Any]) -> list[App]:
    """What `map_data` gave, by app: the project's first, then Django's."""
    found: dict[str, App] = {}

    def app(name: str) -> App:
        return found.setdefault(name, App(name))

    for signal in data["signals"]:
        signal["short"] = _short(signal["name"], signal["app"])
        signal["anchor"] = anchor("signal", signal["name"])
        signal["place"] = _place(signal)
        apps_of_it = [signal["app"], *(receiver["app"] for receiver in signal["receivers"])]
        signal["inner"] = _is_djangos(*apps_of_it)
        app(signal["app"]).signals.append(signal)
        for receiver in signal["receivers"]:
            receiver["short"] = _short(receiver["name"], receiver["app"])
            receiver["anchor"] = anchor("receiver", receiver["name"])
            receiver["place"] = _place(receiver)
            item = app(receiver["app"]).receivers.setdefault(
                receiver["name"],
                ReceiverItem(receiver["name"], receiver["short"], receiver["anchor"]),
            )
            of = {
                "signal": signal["name"],
                "signal_anchor": signal["anchor"],
                "signal_app": signal["app"],
            }
            item.connections.append({**receiver, **of})
    return sorted(found.values(), key=lambda each: (_is_djangos(each.name), each.name))


def app_of(name: str) -> str:
    """The name of the app that something belongs to; of no app's, the first part of the name."""
    config = apps.get_containing_app_config(name)
    if config is not None:
        return config.name
    first, dot, _ = name.partition(".")
    return first if dot else NOWHERE


def _is_djangos(*names: str) -> bool:
    return all(name.partition(".")[0] == "django" for name in names)


def _short(name: str, app: str) -> tuple[str, str]:
    before, dot, last = name.removeprefix(f"{app}.").rpartition(".")
    return before + dot, last


def anchor(kind: str, name: str) -> str:
    """The id of the element of a signal or a receiver."""
    # No spaces in an id; a name has some where there is no variable to take it from.
    return f"{kind}:" + re.sub(r"\s", "_", name)


def _place(of: dict[str, Any]) -> str | None:
    if of["file"] is None:
        return None
    return of["file"] if of["line"] is None else f"{of['file']}:{of['line']}"
