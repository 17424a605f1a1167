"""What the tests of the commands share."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.core.management import call_command

from tests.durable.operating.processes import Process
from tests.durable.operating.shop import work


class Ran(NamedTuple):
    """What a command has written, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def run() -> Callable[..., Ran]:
    """Runs a subcommand in this process."""

    def run(*args: str, **options: Any) -> Ran:
        out, err, code = io.StringIO(), io.StringIO(), 0
        try:
            call_command("signalpost", *args, stdout=out, stderr=err, no_color=True, **options)
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Ran(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def start(database: str) -> Iterator[Callable[..., Process]]:
    """Starts a subcommand in a process, which is gone after the test."""
    started: list[Process] = []

    def start(*args: str) -> Process:
        process = Process(database, *args)
        started.append(process)
        return process

    yield start
    for process in started:
        process.close()


@pytest.fixture
def order(database: str, on: Any) -> Callable[..., None]:
    """Sends the shop's signal, which its receivers are connected to as in its processes."""
    on(work.ordered, durable="shop.note", queue="notes", when=lambda **sent: "number" in sent)(
        work.note
    )
    on(work.ordered, durable="shop.hold", queue="held", when=lambda **sent: "begun" in sent)(
        work.hold
    )

    def order(**named: Any) -> None:
        work.ordered.send(None, using=database, **named)

    return order
