"""W002: the receivers of a file that was imported under two names, so that each runs twice."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Hashable, Iterable

from django.apps import apps
from django.core.checks import CheckMessage

from signalpost.django.checks.wording import module_of, receiver, some, subject, warning
from signalpost.inspect import Connection, function_of


def check_connected_once(connected: Iterable[Connection]) -> list[CheckMessage]:
    """Warn of a function that is connected twice, since its file is two modules."""
    same: defaultdict[Hashable, dict[str, Connection]] = defaultdict(dict)
    for each in connected:
        module, function = module_of(each), function_of(each.receiver)
        if module is not None:
            code = function.__code__
            place = (os.path.realpath(code.co_filename), code.co_firstlineno, code.co_qualname)
            same[id(each.signal), each.entry.sender_id, place].setdefault(module, each)
    return [_tell(by_module) for by_module in same.values() if len(by_module) > 1]


def _tell(by_module: dict[str, Connection]) -> CheckMessage:
    # The one that is in an installed app is the one that the project means.
    names = sorted(by_module, key=lambda name: (not _is_installed(name), name == "__main__", name))
    first = by_module[names[0]]
    return warning(
        "signalpost.W002",
        f"{receiver(first)} is connected {len(names)} times to {subject(first)}, since its file was "
        f"imported as {some(repr(name) for name in names)}: it is called for each of them.",
        f"Import it as '{names[0]}' everywhere. Look for the other name in the imports and in "
        "INSTALLED_APPS.",
        *(by_module[name] for name in names),
    )


def _is_installed(module: str) -> bool:
    return apps.get_containing_app_config(module) is not None
