"""The programs in tools/ import each other from there, as they do when they are run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.tools.small_suite import write_suite

TOOLS = Path(__file__).resolve().parents[2] / "tools"

if str(TOOLS) not in sys.path:
    sys.path.append(str(TOOLS))


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """The folder of a small suite's tests."""
    return write_suite(tmp_path)
