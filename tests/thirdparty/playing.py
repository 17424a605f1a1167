"""Scenarios played in processes of their own, and the packages that they need."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.thirdparty.play import ALONE

CHECKOUT = Path(__file__).resolve().parents[2]


def require(package: str) -> None:
    """Skip the test if ``package`` isn't installed; fail it where everything has to be."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if os.environ.get("CI"):
            pytest.fail(f"{package} is not installed. Install requirements/test.txt.")
        pytest.skip(f"{package} is not installed")


def play(name: str, order: str) -> Any:
    """Return what the scenario observes, unless its package is missing."""
    require(importlib.import_module(f"tests.thirdparty.scenarios.{name}").PACKAGE)
    return _played(name, order)


@functools.cache
def _played(name: str, order: str) -> Any:
    process = subprocess.run(
        [sys.executable, "-m", "tests.thirdparty.play", name, order],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    outcome = json.loads(process.stdout)
    assert outcome["adopted"] is (order != ALONE)
    return outcome["observed"]
