"""The reference is complete: every setting, check and public name is in it, and nothing else is."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest

import signalpost
import signalpost.django
from signalpost import Signal, exceptions
from signalpost.django.adoption import OURS
from signalpost.django.settings import SETTINGS

pytestmark = pytest.mark.once

CHECK_ID = re.compile(r"\bsignalpost\.[CDEIW]\d{3}\b")
HEADING = re.compile(r"^##+ (?P<text>.+)$", re.MULTILINE)
TABLE_ROW = re.compile(r"^\| `(?P<name>\w+)` \| `(?P<default>[^|]+)` \|.+\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def reference(checkout: Path) -> dict[str, str]:
    """The text of each page of the reference, by its name."""
    pages = (checkout / "docs" / "reference").glob("*.md")
    return {page.stem: page.read_text(encoding="utf-8") for page in pages}


def headings(page: str) -> list[str]:
    return [match["text"] for match in HEADING.finditer(page)]


def as_written(default: object) -> object:
    # A user writes a list in the settings; the table of the code holds a tuple, which can't change.
    return list(default) if isinstance(default, tuple) else default


def test_each_setting_has_its_row_with_its_default(reference: dict[str, str]) -> None:
    rows = {
        row["name"]: ast.literal_eval(row["default"])
        for row in TABLE_ROW.finditer(reference["settings"])
    }

    assert rows == {name: as_written(setting.default) for name, setting in SETTINGS.items()}


def test_each_check_has_a_heading(reference: dict[str, str], checkout: Path) -> None:
    in_code = {
        check_id
        for path in (checkout / "src" / "signalpost").rglob("*.py")
        for check_id in CHECK_ID.findall(path.read_text(encoding="utf-8"))
    }

    assert {"signalpost.E001", "signalpost.E002", "signalpost.W001", "signalpost.I001"} <= in_code
    assert sorted(headings(reference["checks"])) == sorted(in_code)


def test_each_error_has_a_heading(reference: dict[str, str]) -> None:
    errors = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and value.__module__ == exceptions.__name__
    }

    assert "SignalpostError" in errors
    assert errors - set(headings(reference["errors"])) == set()


@pytest.mark.parametrize("module", [signalpost, signalpost.django], ids=lambda m: m.__name__)
def test_each_public_name_has_its_entry(module: ModuleType, reference: dict[str, str]) -> None:
    entry = re.compile(
        rf"^\.\. auto\w+:: {re.escape(module.__name__)}\.(?P<name>\w+)$", re.MULTILINE
    )
    documented = [name for page in reference.values() for name in entry.findall(page)]

    assert sorted(documented) == sorted(module.__all__)


def test_each_method_and_attribute_of_a_signal_is_explained(reference: dict[str, str]) -> None:
    names = dict.fromkeys((*dir(Signal), *vars(Signal())))
    public = [name for name in names if not name.startswith("_")]

    assert {"connect", "send", "name", "lock"} <= set(public)
    assert [name for name in public if not re.search(rf"`{name}\b", reference["signals"])] == []


def test_page_on_adoption_lists_what_the_code_puts_on_djangos_class(checkout: Path) -> None:
    page = (checkout / "docs" / "explanation" / "adoption.md").read_text(encoding="utf-8")
    section = page.partition("## What is replaced")[2].partition("\nAnd one method of")[0]
    items = re.findall(r"^- .+(?:\n  .+)*", section, re.MULTILINE)
    listed = {name for item in items for name in re.findall(r"`(\w+)`", item)}

    assert listed == set(OURS)
