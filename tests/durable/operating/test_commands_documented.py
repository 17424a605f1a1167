"""The reference has each subcommand, with each of its options."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest

from signalpost.django.management.commands.signalpost import Command

pytestmark = pytest.mark.once

HIDDEN = {"--help", "--format", "--database"}  # said in the text, where not in the table


def subcommands() -> dict[str, Any]:
    parser = Command().create_parser("manage.py", "signalpost")
    [action] = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(action.choices)


def sections(checkout: Path) -> dict[str, str]:
    page = (checkout / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## signalpost (\w+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_each_subcommand_has_its_heading(checkout: Path) -> None:
    assert sorted(sections(checkout)) == sorted(subcommands())


@pytest.mark.parametrize("name", sorted(subcommands()))
def test_each_option_is_explained(checkout: Path, name: str) -> None:
    # `cancel` takes what `retry` does, and says so.
    section = sections(checkout)["retry" if name == "cancel" else name]
    options = [
        option
        for action in subcommands()[name]._actions
        if action.help != argparse.SUPPRESS
        for option in action.option_strings
        if option.startswith("--") and option not in HIDDEN
    ]
    assert [option for option in options if f"`{option}" not in section] == []
