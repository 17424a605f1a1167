"""Durable delivery on each database that is there: recording, delivering, waiting."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from benchmarks import names
from benchmarks.budgets import Budget
from benchmarks.durable_project import DATABASES, is_there
from benchmarks.rows import Measure, Row, Table
from benchmarks.timing import FULL, Effort, Figures

_THERE: Final = tuple(name for name in DATABASES if is_there(name))
_MISSING: Final = [name for name in DATABASES if name not in _THERE]
_NOT_MEASURED: Final = f" Not measured, since it isn't here: {', '.join(_MISSING)}." * bool(
    _MISSING
)
#: The whole send: on SQLite the inserts cost so little that the 20 µs from the signal to the recording
#: are more than a tenth of them.
_SENDING: Final = {"SQLite": 1.35, "PostgreSQL": 1.10, "MariaDB": 1.25}
_PER_SECOND: Final = {"SQLite": 20_000, "PostgreSQL": 10_000, "MariaDB": 5_000}


def _measure(database: str, what: str, *, quick: int, full: int) -> Measure:
    """A measure in a process of its own, with a database that is made for it."""

    def measure(effort: Effort) -> Figures:
        count = full if effort is FULL else quick
        command = [sys.executable, "-m", "benchmarks.durable_project", database, what, str(count)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        figures: Figures = json.loads(done.stdout)
        return figures

    return measure


def _rows(make: Callable[[str], Row]) -> tuple[Row, ...]:
    return tuple(make(name) for name in _THERE)


RECORDING = Table(
    title="Durable: recording a send in a transaction of its own",
    unit="µs",
    columns=(names.OURS, "recording alone", "plain inserts", "the ORM's"),
    divisor=1_000,
    rows=_rows(
        lambda database: Row(
            database,
            _measure(database, "recording", quick=1_500, full=10_000),
            (
                Budget("recording alone", "plain inserts", at_most=1.10),
                Budget(names.OURS, "plain inserts", at_most=_SENDING[database]),
                Budget(names.OURS, "the ORM's", at_most=1.00),
            ),
        )
    ),
    note="One receiver. Recording alone: the payload encoded and the rows written, without the signal. "
    "Plain inserts: the same two rows, by two statements of a cursor; the ORM's: by two `create()`s."
    + _NOT_MEASURED,
)

DELIVERING = Table(
    title="Durable: deliveries a second by one worker with one thread",
    unit="a second",
    columns=("no-op", "atomic", "keyed"),
    rows=_rows(
        lambda database: Row(
            database,
            _measure(database, "delivering", quick=6_000, full=60_000),
            (Budget("no-op", at_least=_PER_SECOND[database], unit="a second", is_of_machine=True),),
        )
    ),
    note="A backlog of receivers that do nothing; keyed: 1,000 keys." + _NOT_MEASURED,
)

WAITING = Table(
    title="Durable: from the commit to the run",
    unit="ms",
    columns=("median", "99 of 100"),
    rows=_rows(
        lambda database: Row(
            database,
            _measure(database, "waiting", quick=25, full=300),
            (Budget("99 of 100", at_most=50, unit="ms"),),
        )
    ),
    note="An idle worker, and a send every 50 to 360 ms from the same process." + _NOT_MEASURED,
)
