"""Importing the ``receivers`` module of each installed app, which nothing else imports."""

from __future__ import annotations

import sys
from importlib import import_module
from traceback import walk_tb
from typing import TYPE_CHECKING

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import module_has_submodule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.apps import AppConfig


def autodiscover(module_names: Iterable[str]) -> None:
    """Import these modules of each installed app that has them.

    Raises ImproperlyConfigured, which names the app and the file, when one of them fails to import.
    """
    for config, name in _modules(module_names):
        try:
            import_module(name)
        except Exception as error:
            raise ImproperlyConfigured(
                f"Cannot import the receivers of app '{config.label}': '{name}'"
                f"{_place(error, config.name)} raised {type(error).__name__}: {error}. Its receivers aren't "
                "connected. Correct the module, or take it off SIGNALPOST['AUTODISCOVER']."
            ) from error


def not_imported(module_names: Iterable[str]) -> Iterator[tuple[AppConfig, str]]:
    """The apps that have such a module which has not been imported, and its dotted name."""
    for config, name in _modules(module_names):
        if name not in sys.modules:
            yield config, name


def _modules(module_names: Iterable[str]) -> Iterator[tuple[AppConfig, str]]:
    names = tuple(module_names)
    for config in apps.get_app_configs():
        for name in names:
            if config.module is not None and module_has_submodule(config.module, name):
                yield config, f"{config.name}.{name}"


def _place(error: Exception, app: str) -> str:
    """The app's own line that led to the error; where none did, the line that raised it."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}, line {error.lineno})"
    frames = list(walk_tb(error.__traceback__))
    inside = [f for f in frames if str(f[0].f_globals.get("__name__")).startswith(f"{app}.")]
    for frame, line in (inside or frames)[-1:]:
        return f" ({frame.f_code.co_filename}, line {line})"
    return ""
