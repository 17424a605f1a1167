"""A receiver that was disconnected is nobody's any more, at once."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from signalpost import Signal, inspect
from signalpost.delivery import receivers
from signalpost.delivery.running import Runner
from signalpost.django.stores import store_for
from signalpost.django.working import policy_for

paid = Signal(name="tests.disconnected.paid")


def note(number: int, **kwargs: Any) -> None: ...


def other(number: int, **kwargs: Any) -> None: ...


@pytest.fixture(autouse=True)
def without_the_garbage_collector() -> Any:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    "options",
    [{}, {"key": "number"}, {"key": lambda number: number}, {"when": lambda number: True}],
)
def test_disconnected_receiver_is_not_delivered_to(options: Any) -> None:
    paid.connect(note, durable="tests.disconnected", aliases=["tests.before"], **options)
    assert receivers.find("tests.disconnected", "tests.disconnected.paid") is not None
    paid.disconnect(note)
    assert receivers.find("tests.disconnected", "tests.disconnected.paid") is None
    assert receivers.find("tests.before", "tests.disconnected.paid") is None
    assert "tests.disconnected" not in receivers.keys()  # noqa: SIM118 - a function


def test_send_keeps_no_disconnected_receiver(database: str) -> None:
    for receiver in (note, other):
        paid.connect(receiver, durable=f"tests.{receiver.__name__}", using=database)
    paid.send(None, number=1)
    for receiver in (note, other):
        paid.disconnect(receiver)
    assert receivers.find("tests.note", "tests.disconnected.paid") is None
    assert receivers.find("tests.other", "tests.disconnected.paid") is None


@pytest.mark.parametrize("atomic", [False, True])
def test_failed_run_keeps_no_disconnected_receiver(database: str, atomic: bool) -> None:
    def fail(number: int, **kwargs: Any) -> None:
        raise ValueError(number)

    paid.connect(fail, durable="tests.fail", using=database, atomic=atomic, max_attempts=1)
    paid.send(None, number=1)
    store = store_for(database)
    runner = Runner(store, policy_for(database))
    runner.run(store.claim("default", limit=1, owner="w", lease=60.0), runner.clock() + 60.0)
    paid.disconnect(fail)
    assert receivers.find("tests.fail", "tests.disconnected.paid") is None


def test_looking_at_connections_keeps_none_of_them() -> None:
    paid.connect(note, durable="tests.disconnected")
    inspect.connections()
    paid.disconnect(note)
    assert receivers.find("tests.disconnected", "tests.disconnected.paid") is None


def test_key_of_a_disconnected_receiver_is_free() -> None:
    paid.connect(note, durable="tests.disconnected")
    paid.disconnect(note)
    paid.connect(other, durable="tests.disconnected")
    paid.disconnect(other)
