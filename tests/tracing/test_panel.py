"""The panel of Django Debug Toolbar, in a project of its own."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def shown(checkout: Path) -> Any:
    process = subprocess.run(
        [sys.executable, "-m", "tests.tracing.panel_project"],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def rows(content: str) -> list[list[str]]:
    """The cells' text; each level of nesting is four spaces in front."""
    found = re.findall(r"<tr>\s*(<td>.*?)</tr>", content, re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in found]
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in cells]


def test_what_fired_nested_with_queries_and_outcome(shown: Any) -> None:
    table = rows(shown["pay"])
    names = [(row[0].count("\u00a0") // 4, row[0].strip("\u00a0")) for row in table]
    assert names == [
        (0, "shop.paid"),
        (1, "__main__.greet"),
        (2, "django.db.models.signals.post_save"),
        (3, "__main__.welcome"),
        (1, "__main__.complain"),
        (1, "__main__.mail"),
        (2, "__main__.mail"),
    ]
    assert [row[3] for row in table] == ["2", "2", "1", "1", "0", "0", "0"]
    assert [row[4] for row in table[4:]] == [
        "raised: ValueError('<script>no</script>')",
        "waits for commit",
        "returned",
    ]
    assert table[0][1] == "tests.store.models.Order"
    assert table[1][5].startswith("tests/tracing/panel_project.py:")


def test_what_comes_from_the_project_is_escaped(shown: Any) -> None:
    assert "<script>no" not in shown["pay"]


def test_the_list_of_panels_says_how_much_there_was(shown: Any) -> None:
    assert shown["pay"].endswith("[4 receivers of 2 signals, 1 on commit]")
    assert shown["rest"].endswith("[0 receivers of 0 signals]")
    assert "No signal that has receivers fired in this request." in shown["rest"]


def test_the_toolbars_own_panel_lists_our_receivers(shown: Any) -> None:
    assert "welcome" in shown["connected"]


def test_nothing_is_left_behind(shown: Any) -> None:
    assert shown["observes"] is False
    assert shown["wrappers"] == 0
