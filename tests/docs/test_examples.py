"""Every example that a user can copy runs, and prints what its page says it prints."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import signalpost
from tests.docs import documents

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = [
    "signalpost",
    *(module.name for module in pkgutil.walk_packages(signalpost.__path__, "signalpost.")),
]

RUN = {"python", "pycon"}
OTHER_LANGUAGES = {"bash", "console", "diff", "html", "ini", "json", "sql", "text", "toml"}

SKIP = re.compile(r"^.*(?:<!--|%)[\s;-]*skip\b.*$", re.MULTILINE)
SKIP_WITH_REASON = re.compile(r'^\s*<!-- skip: next "[^"]{10,}" -->$')

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
@pytest.mark.usefixtures("tidy_process")
def test_examples_of_a_page_run(page: Path) -> None:
    holds_examples = not RUN.isdisjoint(documents.languages(page))
    all_are_skipped = len(SKIP.findall(page.read_text(encoding="utf-8"))) == sum(
        language in RUN for language in documents.languages(page)
    )

    ran = documents.run(page)

    assert bool(ran) == (holds_examples and not all_are_skipped)


@each_page
def test_each_block_names_a_known_language(page: Path) -> None:
    unknown = {
        language
        for language in documents.languages(page)
        if language not in RUN | OTHER_LANGUAGES and not language.startswith("{")
    }

    assert not unknown, f"{page.name} has blocks in {unknown}: a slip of the pen would not be run"


@each_page
def test_each_skip_is_of_one_block_and_says_why(page: Path) -> None:
    skips = SKIP.findall(page.read_text(encoding="utf-8"))

    assert [skip for skip in skips if not SKIP_WITH_REASON.match(skip)] == []


@pytest.mark.usefixtures("tidy_process")
@pytest.mark.parametrize("name", MODULES)
def test_sessions_in_docstrings_run(name: str) -> None:
    module = importlib.import_module(name)

    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS)

    assert outcome.failed == 0
