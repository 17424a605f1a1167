"""`manage.py signalpost list` in a project of fifty apps, beside what Django takes to start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import names
from benchmarks.budgets import Budget
from benchmarks.rows import Row, Table
from benchmarks.timing import Effort, Figures

_APPS: Final = 50
_EACH: Final = 5  # models, signals and receivers of each, in each app

_SETTINGS: Final = """
SECRET_KEY = "for a benchmark"
USE_TZ = True
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["signalpost.django", "django.contrib.contenttypes", "django.contrib.auth", *{apps}]
"""
_MODEL: Final = """
class Model{n}(models.Model):
    name = models.CharField(max_length=9)
"""
_RECEIVERS: Final = """
@receiver(signals.signal{n})
def on_signal{n}(first, **kwargs): ...

@receiver([post_save, pre_save], sender=models.Model{n})
def on_save{n}(sender, **kwargs): ...
"""


@contextmanager
def _project() -> Iterator[Path]:
    with TemporaryDirectory(prefix="signalpost-bench-") as made:
        folder = Path(made)
        apps = [f"app{n}" for n in range(_APPS)]
        (folder / "fifty_settings.py").write_text(_SETTINGS.format(apps=apps))
        for app in apps:
            (folder / app).mkdir()
            files = {
                "__init__": "",
                "models": "from django.db import models\n" + _each(_MODEL),
                "signals": "from django.dispatch import Signal\n"
                + _each('signal{n} = Signal(providing_args=["first", "second"])\n'),
                "receivers": "from django.db.models.signals import post_save, pre_save\n"
                "from django.dispatch import receiver\n"
                "from . import models, signals\n" + _each(_RECEIVERS),
            }
            for name, text in files.items():
                (folder / app / f"{name}.py").write_text(text)
        yield folder


def _each(text: str) -> str:
    return "".join(text.format(n=n) for n in range(_EACH))


def _taken(effort: Effort) -> Figures:
    """Milliseconds of each command, from its start to its end; the shortest of some."""
    commands = {names.OURS: ["signalpost", "list"], names.DJANGO: ["check"]}
    times: dict[str, list[float]] = {name: [] for name in commands}
    with _project() as folder:
        path = os.pathsep.join([str(folder), *filter(None, sys.path)])
        environment = {
            **os.environ,
            "PYTHONPATH": path,
            "DJANGO_SETTINGS_MODULE": "fifty_settings",
        }
        for _ in range(effort.least_rounds):
            for name, arguments in commands.items():
                command = [sys.executable, "-m", "django", *arguments]
                started = time.perf_counter()
                done = subprocess.run(
                    command, check=True, capture_output=True, text=True, env=environment
                )
                times[name].append((time.perf_counter() - started) * 1_000)
                if name == names.OURS:
                    assert done.stdout.count("on_save") == 2 * _APPS * _EACH
    return {name: min(values) for name, values in times.items()}


TABLE = Table(
    title="The list of a project of 50 apps",
    unit="ms",
    columns=(names.OURS, names.DJANGO),
    rows=(
        Row(
            "manage.py signalpost list; Django: check",
            _taken,
            (Budget(names.OURS, at_most=2_000, unit="ms"),),
        ),
    ),
    note="250 models, 250 signals, 750 connections. The whole command, Django's start in it.",
)
