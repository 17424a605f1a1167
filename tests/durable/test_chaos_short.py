"""A short run of ``make chaos``: the harness, its database, and a few kills."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import services

MINUTES = 3


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.chaos", *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=MINUTES * 60,
        check=False,
    )


@pytest.mark.once
@pytest.mark.parametrize(
    ("database", "alias"),
    [("sqlite", "file"), ("postgresql", "postgres"), ("mariadb", "mariadb")],
)
def test_kills_lose_nothing_invent_nothing_and_keep_the_order(
    checkout: Path, database: str, alias: str
) -> None:
    services.need(alias)
    done = run(checkout, *f"--database {database} --kills 6 --lease 1 --pace 0.25 --stop".split())
    said = done.stdout + done.stderr
    assert done.stdout.endswith("All promises hold.\n"), said
    assert done.returncode == 0, said
    assert "        6  kills of workers by the harness" in done.stdout
    assert "        0  lost\n" in done.stdout
    assert "        0  duplicates without a cause\n" in done.stdout
    assert done.stderr == ""
