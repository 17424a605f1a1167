"""The ``SIGNALPOST`` setting: a dictionary, of which this is the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.conf import settings

from signalpost.delivery.body import LOWEST_LIMIT

#: In seconds. Nothing is begun in the last five of a lease, and a third of it passes until it is renewed.
SHORTEST_LEASE = 10


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of ``SIGNALPOST``: its default, what it may be, and what it does."""

    name: str
    default: Any
    accepts: Callable[[Any], bool]
    expected: str
    meaning: str


def _is_bool(value: Any) -> bool:
    return type(value) is bool


def _is_bool_or_none(value: Any) -> bool:
    return value is None or type(value) is bool


# By their types, so that a string, which is also a sequence of strings, isn't taken for a list.
def _is_list(value: Any) -> bool:
    return type(value) in (list, tuple)


def _are_modules(value: Any) -> bool:
    return _is_list(value) and all(type(item) is str and item.isidentifier() for item in value)


def _are_observers(value: Any) -> bool:
    return _is_list(value) and all(
        _is_path(item)
        or (_is_list(item) and len(item) == 2 and _is_path(item[0]) and _is_dict(item[1]))  # noqa: PLR2004 - a pair
        for item in value
    )


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= LOWEST_LIMIT


def _is_days(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 36_500  # noqa: PLR2004 - a century


def _is_lease(value: Any) -> bool:
    return type(value) in (int, float) and SHORTEST_LEASE <= value <= 86_400  # noqa: PLR2004 - a day


def _is_path(value: Any) -> bool:
    return type(value) is str and "." in value


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "ADOPT",
            True,
            _is_bool,
            "True or False",
            "Give django.dispatch Signalpost's dispatcher. False leaves Django's alone.",
        ),
        Setting(
            "AUTODISCOVER",
            ("receivers",),
            _are_modules,
            'a list of module names, such as ["receivers"]',
            "The modules that are imported from each installed app; [] imports none.",
        ),
        Setting(
            "LEASE",
            60,
            _is_lease,
            f"a number of seconds, {SHORTEST_LEASE} or more",
            "How long what a worker has claimed stays its own without being renewed, unless its --lease "
            "says otherwise: so long the work of a killed worker waits.",
        ),
        Setting(
            "MAP_LIVE",
            None,
            _is_bool_or_none,
            "True, False or None",
            "Show on the map what fires. None: with DEBUG.",
        ),
        Setting(
            "OBSERVERS",
            (),
            _are_observers,
            'a list of dotted paths, such as ["signalpost.tracing.LogObserver"], or of pairs of a '
            "path and a dictionary of arguments",
            "Who is told of each send and each receiver's run: see `signalpost.tracing`.",
        ),
        Setting(
            "PAYLOAD_LIMIT",
            256 * 1024,
            _is_count,
            f"a number of bytes, {LOWEST_LIMIT} or more",
            "The most that a durable delivery's payload may take as JSON.",
        ),
        Setting(
            "RETENTION",
            14,
            _is_days,
            "a number of days",
            "How long `manage.py signalpost prune` keeps messages, and what was cancelled.",
        ),
        Setting(
            "SENSITIVE",
            ("password", "secret", "token", "api_key"),
            _are_modules,
            'a list of names of arguments, such as ["password", "token"]',
            "The arguments whose values aren't shown in the admin and in errors of durable deliveries.",
        ),
        Setting(
            "TRACE",
            None,
            _is_bool_or_none,
            "True, False or None",
            "Let `manage.py signalpost trace` look at this process. None: under `runserver` with "
            "DEBUG.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the ``SIGNALPOST`` setting."""

    message: str
    hint: str
    #: Whether the key is one that doesn't exist, rather than one with a bad value.
    unknown: bool


def configured(name: str) -> Any:
    """The value of a setting, or its default where it isn't given or can't be used."""
    setting = SETTINGS[name]
    value = _given().get(name, setting.default)
    return value if setting.accepts(value) else setting.default


def faults() -> list[Fault]:
    """What is wrong with ``SIGNALPOST``, one fault for each key."""
    given = getattr(settings, "SIGNALPOST", {})
    if not isinstance(given, dict):
        return [
            Fault(
                f"The SIGNALPOST setting is {given!r}, not a dictionary.",
                'Write SIGNALPOST = {"ADOPT": True}, say, or leave it out.',
                unknown=False,
            )
        ]
    found: list[Fault] = []
    for name, value in _given().items():
        if name not in SETTINGS:
            found.append(_unknown(name))
        elif not SETTINGS[name].accepts(value):
            found.append(
                Fault(
                    f"The SIGNALPOST setting {name!r} is {value!r}, so its default, "
                    f"{SETTINGS[name].default!r}, is used.",
                    f"It must be {SETTINGS[name].expected}.",
                    unknown=False,
                )
            )
    return found


def _given() -> dict[Any, Any]:
    given: Any = getattr(settings, "SIGNALPOST", {})
    return given if _is_dict(given) else {}


def _unknown(name: Any) -> Fault:
    near = get_close_matches(str(name).upper(), SETTINGS, n=1)
    question = f" Did you mean {near[0]!r}?" if near else ""
    return Fault(
        f"Unknown SIGNALPOST setting {name!r}.{question}",
        f"The settings are {', '.join(SETTINGS)}.",
        unknown=True,
    )
