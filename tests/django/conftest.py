"""Apps that a test writes, installs and forgets."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.apps import apps
from django.core import checks
from django.test import override_settings

WriteApp = Callable[..., Path]


@pytest.fixture
def write_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteApp]:
    """A function that writes an importable app: write_app("shop", receivers="source of a module").

    An app in a package is `write_app("project/shop")`.
    """
    names: list[str] = []
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, **modules: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        names.extend(name.split("/"))
        for module, source in {"__init__": "", **modules}.items():
            (folder / f"{module}.py").write_text(dedent(source), encoding="utf-8")
        importlib.invalidate_caches()
        return folder

    yield write
    for module in list(sys.modules):
        if module.partition(".")[0] in names:
            del sys.modules[module]
    for name in names:
        apps.all_models.pop(name, None)
    gc.collect()  # their receivers, which are connected for as long as they live


@contextlib.contextmanager
def installed(*names: str, **settings: Any) -> Iterator[None]:
    """These apps and Signalpost's are installed, and their `ready()` has been called."""
    # One after the other: Django installs the apps before it overrides the other settings.
    with (
        override_settings(**settings),
        override_settings(INSTALLED_APPS=["signalpost.django", *names]),
    ):
        yield


def warned(check: str, **options: Any) -> list[tuple[str, str | None, Any]]:
    """What one of our checks says: messages, hints and the apps that they are about."""
    messages = checks.run_checks(tags=[checks.Tags.signals], **options)
    found = [m for m in messages if m.id == f"signalpost.{check}"]
    assert all(message.level == checks.WARNING for message in found)
    return sorted(((m.msg, m.hint, m.obj) for m in found), key=lambda message: message[0])
