"""Django's source distribution: fetched with pip, compared with the installed Django, unpacked."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django_own_tests.refusal import Refusal

if TYPE_CHECKING:
    from django_own_tests.target import Target


def folder_of_tests(target: Target, cache: Path) -> Path:
    """Return the folder of the tests that belong to the Django that ``target`` has installed.

    Fetched on the first call and kept in ``cache``. Raises Refusal where there is no such
    distribution, or where the installed Django isn't what was released under its version.
    """
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = cache / f"django-{target.django}"
    if not unpacked.is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            source = unpack(fetch(target, Path(folder)), Path(folder) / "unpacked")
            # Renamed when complete, so that an interrupted run leaves nothing half done.
            source.rename(unpacked)
    require_same_code(target.django_folder, unpacked / "django")
    return unpacked / "tests"


def fetch(target: Target, folder: Path) -> Path:
    """Download the source distribution of the target's Django into ``folder`` and return its path.

    pip compares what it downloads with the hash that the index gives for it. Preparing the
    metadata of a source distribution needs its build tool: pip puts that into a throw-away
    environment of its own, so nothing has to be installed beforehand and nothing is left behind.
    """
    pip = subprocess.run(
        [
            *(target.interpreter, "-m", "pip", "download", "--quiet"),
            *("--disable-pip-version-check", "--no-deps", "--no-binary", "django"),
            *("--dest", str(folder), f"django=={target.django}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    archives = list(folder.glob("*.tar.gz"))
    if pip.returncode or len(archives) != 1:
        message = (
            f"pip did not download the source distribution of Django {target.django} with "
            f"{target.interpreter}:\n{(pip.stderr or pip.stdout).strip()}\nExpected one archive: "
            f"a released Django, pip in that environment, and an index that can be reached."
        )
        raise Refusal(message)
    return archives[0]


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack ``archive`` into ``folder`` and return the one folder that it holds."""
    try:
        with tarfile.open(archive) as opened:
            # The filter refuses what would land outside of the folder.
            opened.extractall(folder, filter="data")
    except tarfile.TarError as error:
        message = (
            f"Cannot unpack {archive.name}: {error}. Expected Django's source distribution as "
            f"released. Delete the cache folder and run again."
        )
        raise Refusal(message) from error
    found = [path for path in folder.iterdir() if (path / "tests" / "runtests.py").is_file()]
    if len(found) != 1:
        message = (
            f"{archive.name} holds no tests/runtests.py. Expected Django's source distribution, "
            f"which has its tests in it. Delete the cache folder and run again."
        )
        raise Refusal(message)
    return found[0]


def require_same_code(installed: Path, released: Path) -> None:
    """Raise Refusal if a module that was released under this version differs where it's installed.

    A Django that was edited in place would fail (or pass) tests for reasons of its own, with our
    dispatcher and without.
    """
    for module in sorted(released.rglob("*.py")):
        name = module.relative_to(released)
        theirs = installed / name
        # Templates of new projects carry the suffix .py-tpl; all of .py is installed.
        if not theirs.is_file() or theirs.read_bytes() != module.read_bytes():
            message = (
                f"The installed Django differs from its release in django/{name.as_posix()} "
                f"({installed}). Expected an unmodified Django. Install it anew: pip install "
                f"--force-reinstall --no-deps Django"
            )
            raise Refusal(message)


def existing_labels(tests: Path, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of ``labels`` whose folder is among the tests of this Django."""
    return tuple(label for label in labels if (tests / label.split(".")[0]).is_dir())
