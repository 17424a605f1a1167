"""The problems that the tests of this folder show solved are Django's: each is met on Django alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import services

PROGRAM = Path(__file__).with_name("plain_django.py")


@pytest.mark.parametrize(("engine", "name"), [("sqlite3", ":memory:"), ("postgresql", "postgres")])
def test_problems_are_met_on_django_alone(engine: str, name: str) -> None:
    if engine == "postgresql":
        services.need("postgres")
    process = subprocess.run(
        [sys.executable, str(PROGRAM), engine, name],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (process.returncode, process.stderr) == (0, "")
    met, problems = json.loads(process.stdout)
    assert len(problems) == 9
    assert sorted(met) == problems
