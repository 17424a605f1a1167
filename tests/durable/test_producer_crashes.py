"""The producer's process, or its connection, ends around the COMMIT."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.utils import Error

from signalpost import Signal
from tests.django_settings import RUN
from tests.durable import rows
from tests.durable.conftest import empty
from tests.durable.proxy import Proxy
from tests.store.models import Customer

paid = Signal(name="tests.crashes.paid")
on_servers = pytest.mark.parametrize(
    "database", ["postgres", "mariadb"], indirect=True, ids=["postgresql", "mariadb"]
)
on_sqlite = pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])


@pytest.fixture
def produce(database: str, checkout: Path) -> Iterator[Callable[..., Any]]:
    """Starts a producer that is to end at a point, on the test's database."""
    started: list[subprocess.Popen[str]] = []

    def start(point: str, way: dict[str, Any] | None = None) -> subprocess.Popen[str]:
        paths = (str(checkout), str(checkout / "examples" / "blog"), os.environ.get("PYTHONPATH"))
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.process_settings",
            "SIGNALPOST_TEST_RUN": RUN,
            "SIGNALPOST_TEST_DATABASE": database,
            "PYTHONPATH": os.pathsep.join(each for each in paths if each),
            "PRODUCER_WAY": json.dumps(way or {}),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.durable.producer", point],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def killed(process: subprocess.Popen[str]) -> None:
    """Wait until the process has been killed, by nobody but itself or the test."""
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said


def recorded(database: str) -> bool:
    """Whether the delivery is recorded, as the business row is."""
    written = Customer.objects.using(database).count()
    assert len(rows.messages(database)) == len(rows.deliveries(database)) == written
    return bool(written)


@pytest.mark.parametrize("point", ["in the transaction", "before"])
def test_kill_before_the_commit_records_nothing(database: str, produce: Any, point: str) -> None:
    killed(produce(point))

    assert recorded(database) is False


def test_kill_after_the_commit_has_recorded(database: str, produce: Any) -> None:
    killed(produce("after"))

    assert recorded(database) is True
    assert rows.deliveries(database)[0].state == "ready"


def unload(database: str) -> None:
    """Have nothing left of what a producer loads its COMMIT with."""
    empty(database)
    with connections[database].cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS ballast")
        cursor.execute("VACUUM")
    connections[database].close()


def killed_inside(start: Callable[[], subprocess.Popen[str]], database: str) -> None:
    """Wait until a process has been killed in its COMMIT; on a busy machine that may be over before."""
    for _ in range(5):
        unload(database)
        process = start()
        _, said = process.communicate(timeout=60)
        if process.returncode == -signal.SIGKILL:
            return
        assert process.returncode == 0, said
    pytest.fail("Each COMMIT was over before it was seen")


@pytest.fixture
def unloaded(database: str) -> Iterator[None]:
    yield
    unload(database)


@on_sqlite
@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("point", ["writes the log", "copies the log"])
def test_kill_during_the_commit_of_sqlite_records_both_or_neither(
    database: str, produce: Any, point: str
) -> None:
    killed_inside(lambda: produce(point), database)

    # Before its last page the log counts for nothing, and then the COMMIT copies it. Which of the two
    # it came to is the machine's to say: the one who kills may be late.
    both, connection = recorded(database), connections[database]
    assert ("ballast" in connection.introspection.table_names()) is both
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        assert cursor.fetchone() == ("ok",)


@on_servers
@pytest.mark.parametrize(("lost", "expected"), [("request", False), ("answer", True)])
def test_kill_during_the_commit_records_both_or_neither(
    database: str, produce: Any, lost: str, expected: bool
) -> None:
    started: list[Any] = []

    def kill() -> None:
        started[0].kill()

    proxy = Proxy(database, lost, at_the_cut=kill)
    try:
        started.append(produce("the way", proxy.settings({})))
        killed(started[0])
    finally:
        proxy.close()

    assert proxy.cuts == 1
    assert recorded(database) is expected


@on_servers
@pytest.mark.parametrize(("lost", "expected"), [("request", False), ("answer", True)])
def test_commit_with_an_unknown_outcome_records_both_or_neither(
    database: str, on: Any, lost: str, expected: bool
) -> None:
    @on(paid, durable="tests.note", using=database)
    def note(**kwargs: Any) -> None: ...

    connection = connections[database]
    given = connection.settings_dict
    connection.close()
    proxy = Proxy(database, lost)
    connection.settings_dict = proxy.settings(given)
    try:
        with pytest.raises(Error), transaction.atomic(using=database):
            Customer.objects.using(database).create(name="ada")
            paid.send(sender=None, number=1)
    finally:
        connection.close()
        connection.settings_dict = given
        proxy.close()

    assert proxy.cuts == 1
    assert recorded(database) is expected
