"""Random work on each store keeps what the store promises."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from signalpost.testing.store_contract import Subject
from tests.durable.conftest import empty
from tests.durable.stores.machine import StoreMachine
from tests.durable.stores.subjects import DatabaseSubject, MemorySubject

#: Of the profile's examples; a server takes longer over each.
SHARE = {"file": 1.0, "postgres": 0.2, "mariadb": 0.2}


def test_memory_keeps_its_promises_whatever_happens() -> None:
    class Machine(StoreMachine):
        def begin_with(self) -> Subject:
            return MemorySubject()

    run(Machine, 3.0)


def test_database_keeps_its_promises_whatever_happens(database: str) -> None:
    class Machine(StoreMachine):
        def begin_with(self) -> Subject:
            empty(database)
            return DatabaseSubject(database)

    run(Machine, SHARE[database])


def run(machine: type[StoreMachine], share: float) -> None:
    examples = max(1, round(settings().max_examples * share))
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=30)
    )
