"""A server that is stopped under the worker, and is away until it is started again: nothing is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction

from signalpost import Signal
from tests import services
from tests.chaos import servers
from tests.durable.conftest import empty
from tests.durable.workers import affect, effects, rows, until, working

pytestmark = pytest.mark.once

paid = Signal(name="tests.stopped.paid")

ALIASES = {"postgresql": "postgres", "mariadb": "mariadb"}


@pytest.fixture(scope="module", params=ALIASES)
def started(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[tuple[str, servers.Server]]:
    """A server of the tests' own, and the alias of its database, which has the tables."""
    kind = str(request.param)
    alias = ALIASES[kind]
    services.need(alias)
    if reason := servers.missing(kind):
        services.refuse(reason)
    settings = connections.settings[alias]
    before = dict(settings)
    # Not pytest's folder, which the servers' own users can't reach.
    with (
        tempfile.TemporaryDirectory(prefix="signalpost_stopped_") as folder,
        servers.private(kind, Path(folder)) as server,
        django_db_blocker.unblock(),
    ):
        connections.close_all()
        # In place: a thread that has a connection opens it there the next time.
        settings.update(server.place)
        try:
            connections[alias].creation.create_test_db(verbosity=0, serialize=False)
            yield alias, server
        finally:
            connections.close_all()
            settings.clear()
            settings.update(before)


@pytest.fixture
def server(started: tuple[str, servers.Server]) -> servers.Server:
    return started[1]


@pytest.fixture
def database(started: tuple[str, servers.Server]) -> Iterator[str]:
    alias, _ = started
    empty(alias)
    yield alias
    connections.close_all()
    empty(alias)
    connections.close_all()


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


def start_again(server: servers.Server, caplog: pytest.LogCaptureFixture) -> None:
    """Start it once the worker has been refused, twice, when it tried again."""

    def refused() -> int:
        return sum(
            "again in" in message and ("refused" in message or "Can't connect" in message)
            for message in caplog.messages
        )

    until(lambda: refused() >= 2)
    server.restart()
    connections.close_all()  # this thread's, which have been cut too


def test_worker_outlives_a_restart_of_its_server(
    database: str, server: servers.Server, on: Any
) -> None:
    on(paid, durable="tests.restart", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    with working(database):
        send(database, 1)
        until(lambda: not rows(database))
        server.restart()
        connections.close_all()
        send(database, 2)
        until(lambda: not rows(database))
    assert effects(database) == [1, 2]


def test_worker_waits_for_a_server_that_is_away(
    database: str, server: servers.Server, on: Any, caplog: pytest.LogCaptureFixture
) -> None:
    on(paid, durable="tests.away", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    with working(database):
        send(database, 1)
        until(lambda: not rows(database))
        server.end()
        start_again(server, caplog)
        send(database, 2)
        until(lambda: not rows(database))
    assert effects(database) == [1, 2]


@pytest.mark.parametrize(("atomic", "twice"), [(True, []), (False, [1])])
def test_immediate_stop_of_the_server_in_a_receiver_loses_nothing(
    database: str,
    server: servers.Server,
    on: Any,
    caplog: pytest.LogCaptureFixture,
    atomic: bool,
    twice: list[int],
) -> None:
    @on(paid, durable="tests.stopped", using=database, atomic=atomic, backoff=0)
    def receive(number: int, **kwargs: Any) -> None:
        affect(database, number)
        if number == 1 and not stopped:
            stopped.append(True)
            server.end()
        affect(database, 100 + number)

    stopped: list[bool] = []
    send(database, 0, 1, 2)
    with working(database):
        start_again(server, caplog)
        until(lambda: not rows(database))
    # Outside of its transaction, what was in flight may show twice.
    assert sorted(effects(database)) == sorted([0, 1, 2, *twice, 100, 101, 102])


def test_stop_of_the_server_before_settling_runs_no_receiver_again(
    database: str, server: servers.Server, on: Any, caplog: pytest.LogCaptureFixture
) -> None:
    on(paid, durable="tests.settles", using=database)(
        lambda number, **kwargs: affect(database, number)
    )
    stopped: list[bool] = []

    def step(name: str) -> None:
        if name == "before settle" and not stopped:
            stopped.append(True)
            server.end()

    send(database, 0, 1, 2)
    with working(database, step=step):
        start_again(server, caplog)
        until(lambda: not rows(database))
    assert effects(database) == [0, 1, 2]
