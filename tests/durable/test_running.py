"""A claim, run in this thread: what becomes of each of its deliveries."""

from __future__ import annotations

import contextvars
import logging
from typing import Any

import pytest
from django.db import DatabaseError, connections, transaction

from signalpost import GiveUp, Retry, Signal
from signalpost.delivery.store import WORKER_LOST
from signalpost.django.models import Delivery
from signalpost.django.stores import store_for
from signalpost.django.working import ConnectionChecks
from tests.durable.rows import craft, make_due
from tests.durable.workers import (
    affect,
    claim,
    effects,
    let_leases_lapse,
    rows,
    run,
    states,
    work_once,
)
from tests.store.models import Customer, Order

paid = Signal(name="tests.running.paid")


def send(database: str, *numbers: int) -> None:
    with transaction.atomic(using=database):
        for number in numbers:
            paid.send(None, number=number)


def fail_at(database: str, *poison: int) -> Any:
    def receive(number: int, **kwargs: Any) -> None:
        affect(database, number)
        if number in poison:
            raise ValueError(f"no {number}")

    return receive


# ------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize("atomic", [True, False])
def test_poison_in_a_batch_leaves_the_other_99_delivered_once(
    database: str, on: Any, atomic: bool
) -> None:
    def receive(number: int, **kwargs: Any) -> None:
        if number == 50:
            raise ValueError
        affect(database, number)

    on(paid, durable="tests.receive", using=database, atomic=atomic)(receive)
    send(database, *range(100))
    run(database, claim(database))
    while states(database).count("ready") > 1:  # what took longer than a batch may
        run(database, claim(database))
    assert sorted(effects(database)) == [number for number in range(100) if number != 50]
    assert rows(database) == [("ready", 1)]


def test_poison_that_always_raises_is_dead_when_its_attempts_are_used_up(
    database: str, on: Any
) -> None:
    on(paid, durable="tests.poison", using=database, max_attempts=3)(fail_at(database, 1))
    send(database, 1)
    for attempt in (1, 2, 3):
        assert set(states(database)) == {"ready"}
        make_due(database)
        run(database, claim(database))
        assert effects(database) == [1] * attempt
    [row] = Delivery.objects.using(database)
    assert (row.state, row.attempts) == ("dead", 3)
    assert row.last_error.startswith("ValueError: no 1 (at ")


def test_atomic_receiver_that_fails_alone_runs_once_an_attempt(database: str, on: Any) -> None:
    seen: list[int] = []

    @on(paid, durable="tests.once", using=database, atomic=True)
    def receive(number: int, **kwargs: Any) -> None:
        seen.append(number)
        affect(database, number)
        raise ValueError

    send(database, 1)
    run(database, claim(database))
    assert (seen, effects(database), rows(database)) == ([1], [], [("ready", 1)])


@pytest.mark.parametrize(
    ("error", "state"), [(GiveUp("never"), "dead"), (Retry(after=3600), "ready")]
)
def test_receiver_says_what_becomes_of_its_delivery(
    database: str, on: Any, error: Exception, state: str
) -> None:
    @on(paid, durable="tests.says", using=database)
    def receive(**kwargs: Any) -> None:
        raise error

    send(database, 1)
    run(database, claim(database))
    assert rows(database) == [(state, 1)]
    assert not claim(database).owed


class Outrage(BaseException):
    """What no `except Exception` catches."""


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, Outrage])
@pytest.mark.parametrize("kind", ["sync", "atomic", "async"])
def test_whatever_a_receiver_raises_is_its_own_failure(
    database: str, on: Any, error: type[BaseException], kind: str
) -> None:
    if kind == "async":

        async def receive(number: int, **kwargs: Any) -> None:
            if number == 1:
                raise error
    else:

        def receive(number: int, **kwargs: Any) -> None:
            if number == 1:
                raise error

    on(paid, durable="tests.outrage", using=database, atomic=kind == "atomic")(receive)
    send(database, 0, 1, 2)
    worker = work_once(database)
    assert (worker.stats.done, worker.stats.retried) == (2, 1)
    [row] = Delivery.objects.using(database)
    assert error.__qualname__ in row.last_error


def test_unknown_receiver_is_parked_without_using_an_attempt(database: str) -> None:
    craft(database, topic="tests.running.gone", receiver="tests.gone", body={"named": {}})
    told: list[Any] = []
    run(database, claim(database), told=lambda *each: told.append(each))
    assert rows(database) == [("ready", 0)]
    assert not claim(database).owed  # for five minutes
    [(result, _, error)] = told
    assert (result.after, error) == (300.0, None)
    assert result.error == (
        "No receiver 'tests.gone' is connected to signal 'tests.running.gone' in this worker. Was it "
        "renamed? Then declare aliases=. Looked at again later."
    )


def test_delivery_is_settled_whatever_becomes_of_telling_of_it(
    database: str, on: Any, caplog: pytest.LogCaptureFixture
) -> None:
    on(paid, durable="tests.told", using=database)(fail_at(database))
    send(database, 1, 2)

    def told(*each: Any) -> None:
        raise OSError("no space for the log")

    run(database, claim(database), told=told)
    assert rows(database) == []
    assert caplog.messages[0].endswith("raised OSError('no space for the log')")


# ---------------------------------------------------------------------------- what it leaves behind


def write_twice(connection: Any) -> None:
    """A database error that leaves an atomic block."""
    with transaction.atomic(using=connection.alias):
        for _ in range(2):
            Customer.objects.using(connection.alias).create(name="twice")


def break_the_transaction(connection: Any) -> None:
    try:
        with transaction.atomic(using=connection.alias, savepoint=False):
            raise DatabaseError  # noqa: TRY301 - as a query would
    except DatabaseError:
        pass


def leave_a_transaction_open(connection: Any) -> None:
    transaction.atomic(using=connection.alias).__enter__()


def leave_autocommit_off(connection: Any) -> None:
    connection.set_autocommit(False)


def close_the_connection(connection: Any) -> None:
    connection.close()


@pytest.mark.parametrize(
    ("leave", "atomic", "text"),
    [
        (break_the_transaction, True, "It left the transaction on '{}' broken"),
        (leave_a_transaction_open, False, "It left a transaction open on '{}'."),
        (leave_a_transaction_open, True, "It left a transaction open on '{}'."),
        (leave_autocommit_off, False, "It left autocommit off on '{}'"),
        (close_the_connection, True, "It closed the connection to '{}' inside a transaction."),
    ],
)
def test_receiver_that_leaves_a_broken_transaction_or_a_closed_connection_fails_alone(
    database: str, on: Any, leave: Any, atomic: bool, text: str
) -> None:
    @on(paid, durable="tests.leaves", using=database, atomic=atomic)
    def receive(number: int, **kwargs: Any) -> None:
        affect(database, number)
        if number == 1:
            leave(connections[database])

    send(database, 0, 1, 2)
    run(database, claim(database))
    assert [number for number in effects(database) if number != 1] == [0, 2]
    [row] = Delivery.objects.using(database)
    assert (row.state, row.attempts) == ("ready", 1)
    assert text.format(database) in row.last_error


@pytest.mark.parametrize("leave", [leave_a_transaction_open, leave_autocommit_off])
def test_connection_that_was_left_broken_stays_the_threads_own(
    database: str, on: Any, leave: Any
) -> None:
    """Django's tests close the connections that they were begun with, and drop the databases."""
    begun_with = connections[database]

    @on(paid, durable="tests.leaves", using=database)
    def receive(number: int, **kwargs: Any) -> None:
        leave(connections[database])

    send(database, 1)
    run(database, claim(database))

    assert connections[database] is begun_with
    assert begun_with.get_autocommit()
    assert not begun_with.in_atomic_block
    with transaction.atomic(using=database):
        affect(database, 1)
    assert effects(database) == [1]


@pytest.mark.parametrize("leave", [leave_a_transaction_open, leave_autocommit_off])
def test_database_in_memory_outlives_what_a_receiver_leaves(
    django_db_setup: None, django_db_blocker: Any, leave: Any
) -> None:
    with django_db_blocker.unblock():
        connection = connections["second"]
        connection.ensure_connection()
        checks = ConnectionChecks()
        leave(connection)
        Customer.objects.using("second").create(name="undone")

        assert checks.clean()

        assert connection.get_autocommit()
        assert not Customer.objects.using("second").exists()


def test_receiver_may_close_the_connection_outside_a_transaction(database: str, on: Any) -> None:
    @on(paid, durable="tests.closes", using=database)
    def receive(number: int, **kwargs: Any) -> None:
        affect(database, number)
        connections[database].close()

    send(database, 0, 1)
    run(database, claim(database))
    assert (effects(database), rows(database)) == ([0, 1], [])


def test_error_that_a_receiver_has_caught_around_its_transaction_is_no_failure(
    database: str, on: Any
) -> None:
    @on(paid, durable="tests.catches", using=database)
    def receive(number: int, **kwargs: Any) -> None:
        with pytest.raises(DatabaseError):
            write_twice(connections[database])
        affect(database, number)

    send(database, 1)
    run(database, claim(database))
    assert (effects(database), rows(database)) == ([1], [])


def test_what_a_receiver_sets_in_its_context_is_not_the_next_ones(database: str, on: Any) -> None:
    mark: contextvars.ContextVar[int] = contextvars.ContextVar("mark", default=0)
    seen: list[int] = []

    @on(paid, durable="tests.sets", using=database)
    def receive(number: int, **kwargs: Any) -> None:
        seen.append(mark.get())
        mark.set(number)

    send(database, 1, 2, 3)
    run(database, claim(database))
    assert (seen, mark.get()) == ([0, 0, 0], 0)


@pytest.mark.parametrize("atomic", [True, False])
def test_instance_is_as_the_receivers_before_have_left_it(
    database: str, on: Any, atomic: bool
) -> None:
    order = Order.objects.using(database).create(total=0)

    @on(paid, durable="tests.adds", using=database, atomic=atomic)
    def add(order: Order, **kwargs: Any) -> None:
        order.total += 1
        order.save(using=database)

    for _ in range(3):
        paid.send(None, order=order)
    run(database, claim(database))
    order.refresh_from_db()
    assert order.total == 3


# --------------------------------------------------------------------------------------- keys


def keyed(database: str, on: Any, *poison: int, **options: Any) -> list[int]:
    """Connects a receiver whose deliveries are of one key; what it has seen."""
    seen: list[int] = []

    @on(paid, durable="tests.keyed", using=database, key=lambda **kwargs: "one", **options)
    def receive(number: int, **kwargs: Any) -> None:
        seen.append(number)
        if number in poison:
            raise ValueError

    return seen


@pytest.mark.parametrize("atomic", [True, False])
def test_keyed_failure_blocks_those_after_it(database: str, on: Any, atomic: bool) -> None:
    poison = [2]
    seen: list[int] = []

    @on(paid, durable="tests.blocks", using=database, key=lambda **kwargs: "one", atomic=atomic)
    def receive(number: int, **kwargs: Any) -> None:
        if number in poison:
            raise ValueError
        transaction.on_commit(lambda: seen.append(number), using=database)

    send(database, 1, 2, 3, 4)
    run(database, claim(database, keyed=True))
    assert not claim(database, keyed=True).owed
    assert seen == [1]
    assert rows(database) == [("ready", 1), ("blocked", 0), ("blocked", 0)]
    poison.clear()
    make_due(database)
    work_once(database)  # its retry releases those that waited for it
    assert (seen, rows(database)) == ([1, 2, 3, 4], [])


def test_keyed_failure_with_skip_lets_those_after_it_go_on(database: str, on: Any) -> None:
    seen = keyed(database, on, 2, on_failure="skip")
    send(database, 1, 2, 3)
    run(database, claim(database, keyed=True))
    assert (seen, rows(database)) == ([1, 2, 3], [("ready", 1)])


def test_keyed_failure_costs_another_key_nothing(database: str, on: Any) -> None:
    seen: list[int] = []

    @on(paid, durable="tests.keys", using=database, key="number")
    def receive(number: int, **kwargs: Any) -> None:
        seen.append(number)
        if number == 1:
            raise ValueError

    send(database, 1, 2, 1, 2)
    work_once(database)
    assert (sorted(seen), states(database)) == ([1, 2, 2], ["ready", "blocked"])


def test_unreadable_delivery_of_a_key_blocks_those_after_it_and_none_before(
    database: str, on: Any
) -> None:
    seen = keyed(database, on)
    send(database, 1, 2, 3)
    message = Delivery.objects.using(database).order_by("id")[1].message
    message.body = "no JSON"
    message.save(using=database)
    run(database, claim(database, keyed=True))
    assert not claim(database, keyed=True).owed
    assert (seen, states(database)) == ([1], ["dead", "blocked"])


def test_skipped_delivery_of_a_key_blocks_nothing(database: str, on: Any) -> None:
    seen: list[int] = []

    @on(paid, durable="tests.skips", using=database, key=lambda **kwargs: "one")
    def receive(number: int, order: Order, **kwargs: Any) -> None:
        seen.append(number)

    kept, gone = (Order.objects.using(database).create() for _ in range(2))
    for number, order in ((1, gone), (2, kept)):
        paid.send(None, number=number, order=order)
    gone.delete(using=database)
    run(database, claim(database, keyed=True))
    assert (seen, rows(database)) == ([2], [])


def test_number_of_slots_changes_in_a_rolling_deploy(
    database: str, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []

    @on(paid, durable="tests.slots", using=database, key="key")
    def receive(key: int, number: int, **kwargs: Any) -> None:
        seen.append((key, number))

    store = store_for(database)
    for number, slots in enumerate((256, 8, 256, 16)):  # old and new senders, in turn
        monkeypatch.setattr(store, "slots", slots)
        for key in range(5):
            paid.send(None, key=key, number=number)
    work_once(database, concurrency=2)
    work_once(database)  # what had to wait for another slot's
    store.reclaim()
    work_once(database)
    assert rows(database) == []
    for key in range(5):
        assert [n for k, n in seen if k == key] == [0, 1, 2, 3]


# -------------------------------------------------------------------------------- leases and fences


@pytest.mark.parametrize("atomic", [True, False])
def test_zombie_that_settles_late_changes_nothing(
    database: str, on: Any, atomic: bool, caplog: pytest.LogCaptureFixture
) -> None:
    on(paid, durable="tests.zombie", using=database, atomic=atomic)(fail_at(database))
    send(database, 1)
    late = claim(database)
    let_leases_lapse(database)
    successor = claim(database)
    with caplog.at_level(logging.WARNING, "signalpost.worker"):
        run(database, late)
    assert rows(database) == [("claimed", 2)]
    assert effects(database) == ([] if atomic else [1])
    assert "taken over" in caplog.messages[0]
    run(database, successor)
    assert rows(database) == []
    assert effects(database) == ([1] if atomic else [1, 1])


def test_zombie_of_a_slot_settles_nothing_of_its_successors(database: str, on: Any) -> None:
    seen = keyed(database, on)
    send(database, 1, 2)
    late = claim(database, keyed=True)
    let_leases_lapse(database)
    successor = claim(database, keyed=True)
    run(database, late)
    assert states(database) == ["claimed", "claimed"]
    run(database, successor)
    work_once(database)
    # Twice at most, and in their order each time.
    assert (seen, rows(database)) == ([1, 2, 1, 2], [])


def test_nothing_is_begun_when_its_lease_is_nearly_over(database: str, on: Any) -> None:
    on(paid, durable="tests.late", using=database)(fail_at(database))
    send(database, 1)
    run(database, claim(database), until=104.0, clock=lambda: 100.0)
    assert (effects(database), rows(database)) == ([], [("ready", 0)])


@pytest.mark.parametrize("atomic", [True, False])
def test_slow_batch_hands_back_what_it_has_not_begun(database: str, on: Any, atomic: bool) -> None:
    now = [0.0]

    @on(paid, durable="tests.slow", using=database, atomic=atomic)
    def receive(number: int, **kwargs: Any) -> None:
        now[0] += 0.2
        affect(database, number)

    send(database, 0, 1, 2, 3)
    run(database, claim(database), until=60.0, clock=lambda: now[0])
    assert (effects(database), rows(database)) == ([0, 1], [("ready", 0), ("ready", 0)])


# ----------------------------------------------------------------------------------------- crashes


def test_those_that_were_with_a_crash_are_run_one_by_one_and_last(database: str, on: Any) -> None:
    on(paid, durable="tests.apart", using=database)(fail_at(database))
    send(database, 0, 1, 2)
    claim(database)
    let_leases_lapse(database)  # their worker is lost
    send(database, 3)
    steps: list[str] = []
    run(database, claim(database), step=steps.append)
    assert effects(database) == [3, 0]
    assert rows(database) == [("ready", 1), ("ready", 1)]
    # What it puts back and what isn't suspected are settled before the suspect is run.
    assert steps == [
        "claimed",
        *("before settle", "settled"),
        *("running", "ran", "before settle", "settled"),
        *("running", "ran", "before settle", "settled"),
    ]


def test_suspect_that_fails_in_order_is_a_suspect_no_more(database: str, on: Any) -> None:
    on(paid, durable="tests.cleared", using=database)(fail_at(database, 1))
    send(database, 1)
    claim(database)
    let_leases_lapse(database)
    assert Delivery.objects.using(database).get().last_error == WORKER_LOST
    [owed] = claim(database).owed
    assert owed.suspect
    let_leases_lapse(database)
    run(database, claim(database))
    make_due(database)
    [owed] = claim(database).owed
    assert not owed.suspect
