"""`manage.py signalpost worker` in a process: it works, and stops as it is told to."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signalpost.django.models import Delivery, Worker
from tests.durable.operating.processes import Process, until
from tests.durable.workers import let_leases_lapse
from tests.store.models import Customer

Start = Callable[..., Process]


def deliveries(database: str) -> list[tuple[str, str, int]]:
    rows = Delivery.objects.using(database).order_by("id")
    return list(rows.values_list("lane", "state", "attempts"))


def test_worker_runs_its_queue_and_stops_on_sigterm_with_exit_0(
    database: str, start: Start, order: Any, tmp_path: Path
) -> None:
    for number in range(3):
        order(number=number)
    order(begun=str(tmp_path / "begun"), release=str(tmp_path))
    worker = start("worker", "--queue", "notes")
    line = worker.line()
    assert line.startswith("Worker ")
    assert line.endswith(" works on notes of database 'default', in 1 thread.\n")
    until(lambda: Customer.objects.using(database).count() == 3)
    order(number=3)  # while it waits
    until(lambda: Customer.objects.using(database).count() == 4)
    worker.send(signal.SIGTERM)
    code, out, err = worker.end()
    assert (code, err) == (
        0,
        "SIGTERM: claims no more, finishes what runs, and hands back what has not begun. A second "
        "signal ends it at once.\n",
    )
    assert out.endswith(": 4 done, 0 to be retried, 0 dead.\n")
    assert deliveries(database) == [("held", "ready", 0)]
    assert not Worker.objects.using(database).exists()


@pytest.fixture
def held(database: str, start: Start, order: Any, tmp_path: Path) -> tuple[Process, Path]:
    """A worker that runs a receiver until there is a file, and has claimed a second delivery."""
    release = tmp_path / "release"
    for number in range(2):
        order(begun=str(tmp_path / f"begun {number}"), release=str(release))
    worker = start("worker", "--lease", "60")
    worker.line()
    until((tmp_path / "begun 0").exists)
    assert deliveries(database) == [("held", "claimed", 1)] * 2
    return worker, release


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "sigint"])
def test_sigterm_finishes_what_runs_and_hands_back_the_rest(
    database: str, held: tuple[Process, Path], number: signal.Signals
) -> None:
    worker, release = held
    worker.send(number)
    assert worker.error_line().startswith(f"{number.name}: claims no more")
    release.touch()
    code, out, _ = worker.end()
    assert code == 0
    assert out.endswith(": 1 done, 0 to be retried, 0 dead.\n")
    assert deliveries(database) == [("held", "ready", 0)]


def test_sigterm_twice_ends_at_once_and_another_worker_runs_what_is_left(
    database: str, held: tuple[Process, Path], run: Any, tmp_path: Path
) -> None:
    worker, release = held
    worker.send(signal.SIGTERM)
    worker.error_line()
    worker.send(signal.SIGTERM)
    code, _, err = worker.end()
    assert (code, err) == (
        128 + signal.SIGTERM,
        "SIGTERM again: ended at once. What was running is run again when its lease has lapsed, after "
        "at most 60 s.\n",
    )
    assert deliveries(database) == [("held", "claimed", 1)] * 2
    assert not (tmp_path / "begun 1").exists()
    release.touch()
    let_leases_lapse(database)
    another = run("worker", "--once", "--database", database)
    assert another.out.endswith(": 2 done, 0 to be retried, 0 dead.\n")
    assert (tmp_path / "begun 1").exists()
    assert deliveries(database) == []
