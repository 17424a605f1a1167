"""Django's source distribution is unpacked with care and belongs to the installed Django."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from django_own_tests.archive import existing_labels, folder_of_tests, require_same_code, unpack
from django_own_tests.refusal import Refusal
from django_own_tests.target import Target


def make_archive(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def make_module(folder: Path, text: str) -> Path:
    (folder / "dispatch").mkdir(parents=True)
    (folder / "dispatch" / "dispatcher.py").write_text(text, encoding="utf-8")
    return folder


def test_a_source_distribution_is_unpacked(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "django.tar.gz", {"django-9.9/tests/runtests.py": "run"})

    unpacked = unpack(archive, tmp_path / "here")

    assert (unpacked / "tests" / "runtests.py").read_text(encoding="utf-8") == "run"


def test_an_archive_that_writes_outside_of_its_folder_is_refused(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "django.tar.gz", {"../escaped.py": "oh"})

    with pytest.raises(Refusal, match=r"Cannot unpack django\.tar\.gz"):
        unpack(archive, tmp_path / "here")

    assert not (tmp_path / "escaped.py").exists()


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "django.tar.gz").write_bytes(b"no archive")

    with pytest.raises(Refusal, match="Delete the cache folder and run again"):
        unpack(tmp_path / "django.tar.gz", tmp_path / "here")


def test_an_archive_without_tests_is_refused(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "django.tar.gz", {"django-9.9/README": "read"})

    with pytest.raises(Refusal, match=r"holds no tests/runtests\.py"):
        unpack(archive, tmp_path / "here")


def test_a_django_as_released_is_accepted(tmp_path: Path) -> None:
    installed = make_module(tmp_path / "installed", "same")
    released = make_module(tmp_path / "released", "same")

    require_same_code(installed, released)


def test_a_django_that_was_edited_in_place_is_refused(tmp_path: Path) -> None:
    installed = make_module(tmp_path / "installed", "edited")
    released = make_module(tmp_path / "released", "same")

    with pytest.raises(
        Refusal, match=r"differs from its release in django/dispatch/dispatcher\.py"
    ):
        require_same_code(installed, released)


def test_what_is_in_the_cache_is_not_fetched_again(tmp_path: Path) -> None:
    installed = make_module(tmp_path / "installed", "same")
    make_module(tmp_path / "cache" / "django-9.9" / "django", "same")
    # Its interpreter doesn't exist: fetching with it would fail.
    target = Target(str(tmp_path / "python"), "3.13.0", "9.9", installed, ())

    assert (
        folder_of_tests(target, tmp_path / "cache") == tmp_path / "cache" / "django-9.9" / "tests"
    )


def test_labels_that_this_django_does_not_have_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "signals").mkdir()

    assert existing_labels(tmp_path, ("signals.tests.SignalTests", "tasks")) == (
        "signals.tests.SignalTests",
    )
