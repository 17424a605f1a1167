"""What Django's tests do without adoption, remembered between runs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from django_own_tests.run import Order, Run

if TYPE_CHECKING:
    from django_own_tests.target import Target

INSIDE = Path(__file__).resolve().parent / "inside"


def name_of(target: Target, order: Order) -> str:
    """Return a name for what is run, the same only if its outcome without adoption is the same.

    Everything that could change that outcome is in the name: a run with another Python, another
    package installed (tests that need it are skipped without), another user (root may do what some
    tests expect to be refused) or another recorder is another run.
    """
    ours = "signalpost=="
    parts = {
        "django": target.django,
        "python": target.python,
        "installed": [name for name in target.installed if not name.startswith(ours)],
        "labels": order.labels,
        "processes": order.processes,
        "user": os.geteuid(),
        "recorder": [path.read_text(encoding="utf-8") for path in sorted(INSIDE.glob("*.py"))],
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
    return f"{target.django}-py{target.python}-{digest}"


def recall(path: Path) -> Run | None:
    """Return the remembered run, None if there is none."""
    if not path.is_file():
        return None
    return Run(**json.loads(path.read_text(encoding="utf-8")))


def remember(path: Path, run: Run) -> None:
    """Keep a run that finished for the next time."""
    if not run.finished:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half_written = path.with_suffix(".new")
    half_written.write_text(json.dumps(dataclasses.asdict(run)), encoding="utf-8")
    half_written.replace(path)
