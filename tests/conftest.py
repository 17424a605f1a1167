"""What every folder of tests relies on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import services

# A busy machine is slow, not wrong: Hypothesis must not take it for a failure.
settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")


# Folders whose tests lose receivers on purpose, to see that the others aren't harmed.
LOSE_RECEIVERS = {"parity", "stress"}
# Folders whose tests are about threads, the garbage collector, processes and the databases' own SQL,
# but for what of them is about Django.
NEWEST = {"stress", "durable"}
OF_DJANGO = ("test_admin", "test_smoke", "test_recording", "test_checks")
# Folders whose tests meet other databases than SQLite's in memory.
USE_DATABASES = {"delivery", "durable"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LOSE_RECEIVERS.intersection(item.path.parts):
            item.add_marker(pytest.mark.filterwarnings("ignore::signalpost.DeadReceiverWarning"))
        if NEWEST.intersection(item.path.parts) and not item.path.name.startswith(OF_DJANGO):
            item.add_marker(pytest.mark.newest)


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """The tests' databases; those of the servers only where a test of this run may need them."""
    from django.test.utils import setup_databases, teardown_databases

    aliases = {"default": False}
    if any(USE_DATABASES.intersection(item.path.parts) for item in request.session.items):
        others = ("second", "file", "postgres", "mariadb")
        aliases |= {alias: False for alias in others if services.missing(alias) is None}
    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False, aliases=aliases)
    yield
    with django_db_blocker.unblock():
        for alias in services.SERVERS.keys() & aliases.keys():
            services.end_other_sessions(alias)
        teardown_databases(databases, verbosity=0)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The checkout's root folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def blog_folder(checkout: Path) -> Path:
    """The folder of the example project."""
    return checkout / "examples" / "blog"


@pytest.fixture
def blog_copy(blog_folder: Path, tmp_path: Path) -> Path:
    """A copy of the example project that a test may change."""
    copy = tmp_path / "blog"
    shutil.copytree(blog_folder, copy, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3*"))
    return copy
