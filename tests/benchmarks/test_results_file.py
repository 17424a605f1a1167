"""The results file holds a section for each pair of Python and Django."""

from __future__ import annotations

import platform
from dataclasses import replace

import pytest

from benchmarks.results_file import write_section
from benchmarks.versions import installed_versions

from .fakes import EFFORT, VERSIONS


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results.md"


def headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]


def test_section_says_what_was_measured_when_and_how(results):
    write_section(results, versions=VERSIONS, effort=EFFORT, report="### Sending")

    text = results.read_text(encoding="utf-8")
    assert headings(text) == ["# Benchmarks", "## Python 3.11, Django 5.2", "### Sending"]
    assert (
        "2026-01-02, fake run. CPython 3.11.7, Django 5.2.19, blinker 1.9.0; "
        "Linux x86_64, 2 cores." in text
    )


def test_run_with_other_versions_leaves_the_section_alone(results):
    other = replace(VERSIONS, python="3.13.0", django="6.1.3")
    write_section(results, versions=other, effort=EFFORT, report="### Theirs")
    write_section(results, versions=VERSIONS, effort=EFFORT, report="### Sending")

    assert headings(results.read_text(encoding="utf-8")) == [
        "# Benchmarks",
        "## Python 3.11, Django 5.2",
        "### Sending",
        "## Python 3.13, Django 6.1",
        "### Theirs",
    ]


def test_later_run_with_the_same_versions_takes_the_place(results):
    write_section(results, versions=VERSIONS, effort=EFFORT, report="### Old")
    once = results.read_text(encoding="utf-8")
    write_section(
        results, versions=replace(VERSIONS, python="3.11.9"), effort=EFFORT, report="### New"
    )

    text = results.read_text(encoding="utf-8")
    assert headings(text)[1:] == ["## Python 3.11, Django 5.2", "### New"]
    assert len(text) == len(once)


def test_machine_is_described_without_its_name():
    versions = installed_versions()

    assert platform.machine() in versions.machine
    assert platform.node() not in versions.sentence()
