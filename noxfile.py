"""What runs on other interpreters than .venv's: each supported Python with each Django.

Interpreters are found on PATH and under pyenv. One that is missing is an error where CI is set,
and a skipped session elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2026.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]

# Django 6 needs Python 3.12.
SUPPORTED = [
    ("3.11", "5.2"),
    ("3.12", "5.2"),
    ("3.12", "6.0"),
    ("3.12", "6.1"),
    ("3.13", "5.2"),
    ("3.13", "6.0"),
    ("3.13", "6.1"),
]
# Of each Python, the newest Django that it runs.
NEWEST = dict(SUPPORTED).items()


def add_pyenv_to_path() -> None:
    """Let nox find pyenv's interpreters, which pyenv's shims refuse to run unless chosen there."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    pythons = sorted({python for python, _ in SUPPORTED})
    found = [str(path) for python in pythons for path in versions.glob(f"{python}.*/bin")]
    os.environ["PATH"] = os.pathsep.join([*found, os.environ.get("PATH", os.defpath)])


add_pyenv_to_path()


def install(session: nox.Session, django: str, *requirements: str) -> None:
    """Install signalpost from its wheel, one Django, and ``requirements`` at their pinned versions.

    What an editable install would find in the checkout and a user wouldn't have is missed here.
    """
    session.install(
        "--quiet",
        "--disable-pip-version-check",
        "--constraint=constraints.txt",
        f"--requirement=requirements/django-{django}.txt",
        *(f"--requirement=requirements/{name}.txt" for name in requirements),
    )
    session.install("--quiet", "--no-deps", "--force-reinstall", "--no-build-isolation", ".")


@nox.session
@nox.parametrize(("python", "django"), SUPPORTED, ids=[f"{py}-{dj}" for py, dj in SUPPORTED])
def tests(session: nox.Session, django: str) -> None:
    """Run the tests that could differ from one Python or Django to another."""
    # CI has MariaDB's driver compiled for each; elsewhere the tests that need it are skipped.
    services = os.environ.get("SIGNALPOST_REQUIRE_SERVICES") == "1"
    install(session, django, "test", *(["mariadb"] if services else []))
    newest = (session.python, django) in NEWEST
    options = ["--numprocesses", "auto", "--dist", "worksteal"]
    options += ["-m", "not once" if newest else "not once and not newest"]
    session.run("python", "-m", "pytest", *options, *session.posargs)


@nox.session(python="3.13")
@nox.parametrize("django", ["5.2", "6.0", "6.1"], ids=["5.2", "6.0", "6.1"])
def django_suite(session: nox.Session, django: str) -> None:
    """Run Django's own tests with our dispatcher adopted; arguments go to tools/django_suite.py."""
    install(session, django, "test")
    session.run("python", "tools/django_suite.py", *session.posargs)
