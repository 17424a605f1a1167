"""The checkout holds nothing that is of one machine, one registry or one build."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

# The checkout may belong to another user than the one who runs the tests.
GIT = ["git", "-c", "safe.directory=*"]
# Where people's home folders are, on Linux, macOS and Windows.
HOME = re.compile(r"(?:/(?:home|Users|root)/|[A-Z]:\\Users\\)[\w.-]")
PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==[\w.!+]+(?: ?; ?[\w<>=.'\" ]+)?")
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[\w+\])?")


@pytest.fixture(scope="module")
def files(checkout: Path) -> list[Path]:
    """Every file that is, or would be, under version control."""
    if not (checkout / ".git").exists():
        pytest.skip("this is no checkout: a source distribution has no list of tracked files")
    command = [*GIT, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.check_output(command, cwd=checkout, text=True)
    return [path for name in listed.split("\0") if name and (path := checkout / name).is_file()]


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_lines(path: Path) -> list[str]:
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def test_no_file_holds_a_path_of_somebodys_machine(files: list[Path], checkout: Path) -> None:
    # A checkout in /src or the like says nothing: such a path is in many a text.
    here = str(checkout) if len(checkout.parts) > 2 else None

    found = [
        f"{path.relative_to(checkout)}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if HOME.search(line) or (here and here in line)
    ]

    assert found == []


def test_lock_file_names_no_registry(checkout: Path) -> None:
    lock = (checkout / "frontend" / "package-lock.json").read_text(encoding="utf-8")

    assert "://" not in lock
    assert '"resolved"' not in lock


def test_constraints_are_plain_pins(checkout: Path) -> None:
    lines = requirement_lines(checkout / "constraints.txt")

    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_each_requirement_is_pinned(checkout: Path) -> None:
    required: set[str] = set()
    for path in (checkout / "requirements").glob("*.txt"):
        lines = [line for line in requirement_lines(path) if not line.startswith("-r ")]
        if path.name.startswith("django-"):
            assert [line for line in lines if not PIN.fullmatch(line)] == []
            continue
        matches = [REQUIREMENT.fullmatch(line) for line in lines]
        assert all(matches), f"{path.name} holds a version: those belong into constraints.txt"
        required |= {normalized(match["name"]) for match in matches if match}
    pins = [PIN.fullmatch(line) for line in requirement_lines(checkout / "constraints.txt")]
    pinned = {normalized(pin["name"]) for pin in pins if pin}

    assert required - pinned == set()
    # A pin here would forbid the other versions in the matrix.
    assert "django" not in pinned


def test_each_supported_django_has_its_pin(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = {
        classifier.rpartition(" :: ")[2]
        for classifier in project["classifiers"]
        if re.fullmatch(r"Framework :: Django :: \d\.\d", classifier)
    }
    pinned = {
        path.stem.removeprefix("django-"): path.read_text(encoding="utf-8").strip()
        for path in (checkout / "requirements").glob("django-*.txt")
    }

    assert pinned.keys() == stated
    assert [pin for series, pin in pinned.items() if not pin.startswith(f"Django=={series}")] == []


def test_no_module_is_longer_than_a_reader_bears(checkout: Path) -> None:
    source = checkout / "src"
    lengths = {
        str(path.relative_to(source)): len(path.read_text(encoding="utf-8").splitlines())
        for path in source.rglob("*.py")
    }

    assert {name: length for name, length in lengths.items() if length > 300} == {}
