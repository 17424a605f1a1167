"""Each promise of the page on guarantees names the tests that hold it, and those tests exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

NAMED = re.compile(r"`(?P<path>[\w./]+\.py)::(?P<name>\w+)`")
PROMISE = re.compile(r"^- \*\*(?P<title>.+?)\*\*(?P<text>.*(?:\n(?!- |#).*)*)", re.MULTILINE)


@pytest.fixture(scope="module")
def page(checkout: Path) -> str:
    return (checkout / "docs" / "explanation" / "guarantees.md").read_text(encoding="utf-8")


def promised(page: str) -> dict[str, str]:
    """The text of each promise, by its title."""
    section = page.partition("\n## Guaranteed\n")[2].partition("\n## ")[0]
    return {match["title"]: match["text"] for match in PROMISE.finditer(section)}


def missing(page: str, root: Path) -> list[str]:
    """The tests that the page names and that don't exist."""
    return [
        f"{path}::{name}"
        for path, name in NAMED.findall(page)
        if name not in functions_in(root / path)
    ]


def functions_in(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_bytes())
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }


def test_each_test_that_the_page_names_exists(page: str, checkout: Path) -> None:
    assert missing(page, checkout) == []


def test_each_promise_names_a_test(page: str) -> None:
    promises = promised(page)

    assert len(promises) > 5
    assert [title for title, text in promises.items() if not NAMED.search(text)] == []


def test_a_test_that_is_gone_is_missed(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text("def test_there(): ...\n")
    page = "`test_shop.py::test_there`, `test_shop.py::test_gone`, `gone.py::test_there`"

    assert missing(page, tmp_path) == ["test_shop.py::test_gone", "gone.py::test_there"]
