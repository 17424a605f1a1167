"""What the interpreter that is to run Django's tests has installed."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django_own_tests.refusal import Refusal

PROBE = """
import importlib.metadata, json, os, platform
import django
print(json.dumps({
    "django": django.__version__,
    "python": platform.python_version(),
    "folder": os.path.dirname(django.__file__),
    "installed": sorted({
        f"{found.name}=={found.version}" for found in importlib.metadata.distributions()
    }),
}))
"""


@dataclass(frozen=True, slots=True)
class Target:
    """An interpreter, and the Django that it imports."""

    interpreter: str
    python: str
    django: str
    django_folder: Path
    installed: tuple[str, ...]


def look_at(interpreter: str) -> Target:
    """Return what ``interpreter`` has installed.

    Raises Refusal where it doesn't run or has no Django.
    """
    try:
        probe = subprocess.run(
            [interpreter, "-c", PROBE], capture_output=True, text=True, check=False
        )
    except OSError as error:
        message = (
            f"Cannot run {interpreter!r} (--python): {error.strerror}. Expected the path of a "
            f"Python interpreter that has Django and signalpost installed. Give another path."
        )
        raise Refusal(message) from error
    if probe.returncode:
        message = (
            f"{interpreter!r} (--python) cannot import Django:\n{probe.stderr.strip()}\nExpected "
            f"an environment with Django in it. Install it there: {interpreter} -m pip install "
            f"Django"
        )
        raise Refusal(message)
    found = json.loads(probe.stdout)
    return Target(
        interpreter=interpreter,
        python=found["python"],
        django=found["django"],
        django_folder=Path(found["folder"]),
        installed=tuple(found["installed"]),
    )
