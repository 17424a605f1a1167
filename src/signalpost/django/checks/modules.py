"""W001 and W003: modules with receivers that nobody imported, so that they aren't connected."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from django.apps import apps
from django.core import checks
from django.core.checks import CheckMessage

from signalpost.django.autodiscovery import not_imported
from signalpost.django.checks.sources import Written, receivers_in
from signalpost.django.checks.wording import is_own, some
from signalpost.django.settings import SETTINGS, configured
from signalpost.listing import relative

if TYPE_CHECKING:
    from django.apps import AppConfig

#: Packages of an app whose modules are looked at as those of the app itself are.
_PACKAGES = ("receivers", "signals", "handlers", "listeners", "subscribers")
_NEVER = ("tests", "conftest", "migrations", "management")


def check_modules_imported() -> list[CheckMessage]:
    """W001: a module of receivers that was never imported, so they aren't connected."""
    return [
        checks.Warning(
            f"App '{config.label}' has a module '{name}' that was not imported, so its receivers "
            "are not connected.",
            hint=_hint(name, config),
            obj=config,
            id="signalpost.W001",
        )
        for config, name in not_imported(_discovered())
    ]


def check_sources_imported() -> list[CheckMessage]:
    """W003: a module of another name that connects receivers, and was never imported."""
    found: list[CheckMessage] = []
    for config in apps.get_app_configs():
        if not is_own(config.path):
            continue
        for name, path in _modules_of(config):
            if name in sys.modules:
                continue
            written = receivers_in(path, name)
            if written and not _is_imported(path):
                found.append(_tell(config, name, path, written))
    return found


def _tell(config: AppConfig, name: str, path: Path, written: list[Written]) -> CheckMessage:
    file = relative(str(path))
    each = [f"'{one.name}' ({file}:{one.line}, {one.connected_by})" for one in written]
    return checks.Warning(
        f"App '{config.label}' has a module '{name}' that was not imported, so its receivers are "
        f"not connected: {some(each)}.",
        hint=_hint(name, config),
        obj=config,
        id="signalpost.W003",
    )


def _hint(name: str, config: AppConfig) -> str:
    inside = name.removeprefix(f"{config.name}.")
    if "." in inside:  # AUTODISCOVER names modules of the app itself
        return f"Import '{name}' in the ready() of the app's AppConfig."
    return (
        f"Add '{inside}' to SIGNALPOST['AUTODISCOVER'], or import it in the ready() of the app's "
        "AppConfig."
    )


def _discovered() -> dict[str, None]:
    # The usual name too where the setting has others: nothing else imports it either.
    return dict.fromkeys((*configured("AUTODISCOVER"), *SETTINGS["AUTODISCOVER"].default))


def _modules_of(config: AppConfig) -> Iterator[tuple[str, Path]]:
    """The dotted names and the files of an app's modules, without those that W001 tells of."""
    folder = Path(config.path)
    for package in ("", *_PACKAGES):
        prefix = f"{config.name}.{package}." if package else f"{config.name}."
        for path in sorted((folder / package).glob("*.py")):
            name = prefix + path.stem if path.stem != "__init__" else prefix[:-1]
            told = name.removeprefix(f"{config.name}.") in _discovered()
            if not told and path.stem not in _NEVER and not path.stem.startswith("test_"):
                yield name, path


def _is_imported(path: Path) -> bool:
    """Whether the file was imported under another name: then its receivers are connected."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    namesakes = [f for f in files if isinstance(f, str) and f.endswith(path.name)]
    return any(os.path.realpath(file) == os.path.realpath(path) for file in namesakes)
