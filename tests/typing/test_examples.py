"""mypy says of the typing examples what they expect, line by line. `make types` asks pyright too."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from tests.typing import check


def require_mypy() -> None:
    if importlib.util.find_spec("mypy") is None:
        if os.environ.get("CI"):
            pytest.fail("mypy is not installed. Install requirements/test.txt.")
        pytest.skip("mypy is not installed")


@pytest.mark.once
def test_mypy_says_what_the_examples_expect() -> None:
    require_mypy()

    assert check.differences("mypy") == []


def write(folder: Path, *lines: str) -> Path:
    (folder / "example.py").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


@pytest.mark.once
def test_error_that_is_missing_or_not_expected_is_a_difference(tmp_path: Path) -> None:
    require_mypy()
    examples = write(
        tmp_path,
        "x: int = 1  # expect: mypy[assignment] pyright[reportAssignmentType]",
        "y: int = ''",
        "z: int = ''  # expect: mypy[arg-type] pyright[reportArgumentType]",
        "a: int = ''  # expect: mypy[assignment] pyright[reportAssignmentType]",
    )

    assert check.differences("mypy", examples) == [
        "example.py:1: mypy says [], expected ['assignment']",
        "example.py:2: mypy says ['assignment'], expected []",
        "example.py:3: mypy says ['assignment'], expected ['arg-type']",
    ]


def test_expectations_are_read_for_each_checker(tmp_path: Path) -> None:
    examples = write(
        tmp_path,
        "x = 1",
        "f()  # expect: mypy[misc, call-arg] pyright[reportCallIssue]",
        "g()  # expect: pyright[reportCallIssue]",
    )

    assert check.expected("mypy", examples) == {("example.py", 2): ["call-arg", "misc"]}
    assert check.expected("pyright", examples) == {
        ("example.py", 2): ["reportCallIssue"],
        ("example.py", 3): ["reportCallIssue"],
    }


def test_each_example_has_right_lines_and_wrong_ones_for_both_checkers() -> None:
    for checker in check.CHECKERS:
        files = {file for file, _ in check.expected(checker, check.EXAMPLES)}
        assert files == {path.name for path in check.EXAMPLES.glob("*.py")}


def test_every_wrong_line_is_wrong_to_both_checkers() -> None:
    mypy, pyright = (set(check.expected(checker, check.EXAMPLES)) for checker in check.CHECKERS)

    assert mypy == pyright
