"""What an import costs beyond a bare interpreter, and what it must not bring along."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from benchmarks import names
from benchmarks.budgets import Budget
from benchmarks.rows import Row, Table
from benchmarks.timing import Effort, Figures

_MODULES: Final = {
    names.OURS: "signalpost",
    names.DJANGO: "django.dispatch",
    names.BLINKER: "blinker",
    names.PSYGNAL: "psygnal",
    names.PLUGGY: "pluggy",
}
_UNWANTED: Final = ("django", "asyncio", "inspect", "typing")

# `-S` and then `site`: all that a bare interpreter has imported, and nothing that a .pth file of
# this environment adds. Nothing else is imported before the clock starts: it might be shared.
# Time on the processor: the files are in the system's cache after the first of the imports.
_IMPORT: Final = """
import site, sys, time
sys.path[:0] = {path!r}
before = set(sys.modules)
start = time.process_time_ns()
import {module}
taken = time.process_time_ns() - start
print(taken, *sorted(set(sys.modules) - before))
"""


def _imported(module: str) -> tuple[int, list[str]]:
    """Nanoseconds of processor time that the import took in a new interpreter, and the modules that came with it."""
    program = _IMPORT.format(module=module, path=[entry for entry in sys.path if entry])
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    taken, *modules = done.stdout.split()
    return int(taken), modules


def _import_time(effort: Effort) -> Figures:
    times: dict[str, list[float]] = {name: [] for name in _MODULES}
    for _ in range(effort.least_rounds):
        for name, module in _MODULES.items():
            times[name].append(_imported(module)[0] / 1_000_000)
    return {name: min(values) for name, values in times.items()}


def _unwanted_modules(effort: Effort) -> Figures:
    """How many of the unwanted modules each import brings along."""
    return {
        name: sum(unwanted in _imported(module)[1] for unwanted in _UNWANTED)
        for name, module in _MODULES.items()
    }


TIME = Table(
    title="Import",
    unit="ms",
    columns=tuple(_MODULES),
    rows=(
        Row(
            "import beyond a bare interpreter",
            _import_time,
            (Budget(names.OURS, at_most=5, unit="ms"),),
        ),
    ),
)
UNWANTED = Table(
    title="Modules that an import brings along",
    unit="modules",
    columns=tuple(_MODULES),
    rows=(
        Row(
            "of " + ", ".join(_UNWANTED),
            _unwanted_modules,
            (Budget(names.OURS, at_most=0, unit="modules"),),
        ),
    ),
)
