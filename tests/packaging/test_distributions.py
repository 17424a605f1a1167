"""What is inside the wheel and the source distribution, and that the wheel works by itself."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.conftest import Distributions

pytestmark = pytest.mark.once


def wheel_names(distributions: Distributions) -> list[str]:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        return wheel.namelist()


def test_wheel_holds_the_package_and_nothing_else(distributions: Distributions) -> None:
    top_level = {name.split("/")[0] for name in wheel_names(distributions)}

    assert top_level == {"signalpost", "signalpost-0.1.0.dist-info"}


def test_wheel_holds_every_file_of_the_package(
    distributions: Distributions, checkout: Path
) -> None:
    source = checkout / "src"
    files = {
        str(path.relative_to(source))
        for path in (source / "signalpost").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert "signalpost/py.typed" in files
    assert {name for name in wheel_names(distributions) if ".dist-info/" not in name} == files


def test_wheel_states_what_it_needs(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        text = wheel.read("signalpost-0.1.0.dist-info/METADATA").decode()
    metadata = Parser().parsestr(text)

    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("Requires-Dist") == [
        "asgiref>=3.8.1",
        "django<6.2,>=5.2; extra == 'django'",
        "opentelemetry-api>=1.25; extra == 'otel'",
    ]


def test_wheel_is_imported_where_there_is_no_source(
    distributions: Distributions, tmp_path: Path
) -> None:
    # Nothing else is installed there: neither Django nor asgiref is needed to import and to send.
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = subprocess.check_output([python, "-c", find], text=True).strip()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", site_packages, distributions.wheel], check=True)
    program = (
        "import signalpost\n"
        "signal = signalpost.Signal(providing_args=['comment'])\n"
        "@signalpost.receiver(signal)\n"
        "def hear(sender, comment): return comment\n"
        "assert signal.send(sender=None, comment='hi') == [(hear, 'hi')]\n"
        "print(signalpost.__file__)\n"
    )

    printed = subprocess.check_output([python, "-I", "-W", "error", "-c", program], text=True)

    assert Path(printed.strip()).is_relative_to(site_packages)


def test_sdist_holds_what_is_needed_to_build_and_to_test(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}

    assert {
        "LICENSE",
        "README.md",
        "constraints.txt",
        "pyproject.toml",
        "src/signalpost/py.typed",
        "tests/conftest.py",
        "examples/blog/blog/signals.py",
    } <= names
    assert not [name for name in names if name.startswith((".venv", ".nox", "docs/_build"))]
