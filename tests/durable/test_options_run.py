"""What the options of durable receivers do when deliveries are recorded and run."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from signalpost import GiveUp, Retry, Signal
from signalpost.delivery.retrying import Exponential, Steps
from signalpost.exceptions import DeliveryTimeout, PayloadError, RecordingError
from signalpost.testing import drain
from tests.durable import rows
from tests.store.models import Customer, Order

paid = Signal(name="tests.run.paid")


def in_seconds(row: Any) -> float:
    """When the delivery is due, from now."""
    return float((row.available_at - timezone.now()).total_seconds())


# ----------------------------------------------------------------------- attempts and backoff


def test_receiver_that_fails_is_run_again_until_it_succeeds(database: str, on: Any) -> None:
    attempts: list[int] = []

    @on(paid, durable="tests.note", using=database, backoff=0)
    def note(delivery: Any, **kwargs: Any) -> None:
        attempts.append(delivery.attempt)
        if delivery.attempt < 3:
            raise ValueError("not yet")

    paid.send(sender=None)
    drained = drain(database, raises=False)

    assert attempts == [1, 2, 3]
    assert (drained.done, drained.retried, drained.dead) == (1, 2, 0)
    assert rows.deliveries(database) == []


def test_receiver_is_dead_after_its_attempts(database: str, on: Any) -> None:
    last: list[bool] = []

    @on(paid, durable="tests.note", using=database, max_attempts=3, backoff=[0])
    def note(delivery: Any, **kwargs: Any) -> None:
        last.append(delivery.is_last)
        raise ValueError("never")

    paid.send(sender=None)
    drained = drain(database, raises=False)

    assert last == [False, False, True]
    assert (drained.done, drained.retried, drained.dead) == (0, 2, 1)
    [row] = rows.deliveries(database)
    assert (row.state, row.attempts, row.max_attempts) == ("dead", 3, 3)
    assert row.last_error.startswith("ValueError: never (at ")
    assert row.settled_at is not None


def test_backoff_is_asked_with_the_attempt(database: str, on: Any) -> None:
    asked: list[int] = []

    def backoff(attempt: int) -> float:
        asked.append(attempt)
        return 1000.0 * attempt

    @on(paid, durable="tests.note", using=database, backoff=backoff)
    def note(**kwargs: Any) -> None:
        raise ValueError

    paid.send(sender=None)
    for attempt in (1, 2):
        drain(database, raises=False)
        [row] = rows.deliveries(database)
        assert in_seconds(row) == pytest.approx(1000 * attempt, abs=60)
        rows.make_due(database)
    assert asked == [1, 2]


@pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])
@pytest.mark.parametrize(
    ("gives", "seconds"), [(-5, 0), (float("inf"), 366 * 86_400), (float("nan"), 0), ("soon", 60)]
)
def test_backoff_that_gives_nonsense_stops_nobody(
    database: str, on: Any, gives: Any, seconds: float
) -> None:
    @on(paid, durable="tests.note", using=database, max_attempts=2, backoff=lambda attempt: gives)
    def note(**kwargs: Any) -> None:
        raise ValueError("mine")

    paid.send(sender=None)
    drain(database, raises=False)

    [row] = rows.deliveries(database)
    if seconds:
        assert in_seconds(row) == pytest.approx(seconds, abs=50)
    else:
        assert row.state == "dead"  # due at once, twice
    assert ("backoff= raised ValueError" in row.last_error) is (gives == "soon")


def test_default_backoff_doubles_from_two_seconds_to_an_hour() -> None:
    longest = Exponential(uniform=lambda low, high: high)
    shortest = Exponential(uniform=lambda low, high: low)

    assert [longest(attempt) for attempt in (1, 2, 3, 11, 12, 13, 10_000)] == [
        2.0,
        4.0,
        8.0,
        2048.0,
        3600.0,
        3600.0,
        3600.0,
    ]
    assert [shortest(attempt) for attempt in (1, 2, 12)] == [1.0, 2.0, 1800.0]


def test_steps_of_a_backoff_end_with_the_last() -> None:
    assert [Steps((10.0, 60.0))(attempt) for attempt in (1, 2, 3, 99)] == [10.0, 60.0, 60.0, 60.0]


def test_retry_comes_after_the_seconds_that_it_names(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database)
    def note(**kwargs: Any) -> None:
        raise Retry("the carrier is closed", after=5000)

    paid.send(sender=None)
    drained = drain(database)  # no fault, so nothing is raised

    assert drained.retried == 1
    [row] = rows.deliveries(database)
    assert row.state == "ready"
    assert in_seconds(row) == pytest.approx(5000, abs=60)
    assert "Retry: the carrier is closed" in row.last_error


def test_retry_without_seconds_comes_after_the_backoff(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database, backoff=9000)
    def note(**kwargs: Any) -> None:
        raise Retry

    paid.send(sender=None)
    drain(database)

    [row] = rows.deliveries(database)
    assert in_seconds(row) == pytest.approx(9000, abs=60)
    assert "Retry: asked to be run again" in row.last_error


def test_retry_on_the_last_attempt_is_dead(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database, max_attempts=1)
    def note(**kwargs: Any) -> None:
        raise Retry(after=0)

    paid.send(sender=None)

    assert drain(database).dead == 1


@pytest.mark.parametrize("after", ["10", True, [5]])
def test_retry_after_something_else_is_an_error_of_the_receiver(after: Any) -> None:
    with pytest.raises(TypeError, match="after is a number of seconds, or None"):
        Retry(after=after)


@pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])
@pytest.mark.parametrize("after", [1e300, float("inf"), -1e300, float("nan")])
def test_retry_after_any_number_is_kept_within_a_year(database: str, on: Any, after: float) -> None:
    @on(paid, durable="tests.note", using=database, max_attempts=2)
    def note(**kwargs: Any) -> None:
        raise Retry(after=after)

    paid.send(sender=None)
    drain(database)

    [row] = rows.deliveries(database)
    assert -60 < in_seconds(row) < 366 * 86_400 + 60


def test_give_up_is_dead_at_once(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database)
    def note(**kwargs: Any) -> None:
        raise GiveUp("the address doesn't exist")

    paid.send(sender=None)
    drained = drain(database)

    assert drained.dead == 1
    [row] = rows.deliveries(database)
    assert (row.state, row.attempts) == ("dead", 1)
    assert "GiveUp: the address doesn't exist" in row.last_error


# ------------------------------------------------------------------------ queue, delay, timeout


def test_queue_is_the_lane_of_the_row(database: str, on: Any) -> None:
    ran: list[str] = []

    @on(paid, durable="tests.mail", using=database, queue="mail")
    def mail(delivery: Any, **kwargs: Any) -> None:
        ran.append(delivery.queue)

    @on(paid, durable="tests.note", using=database)
    def note(delivery: Any, **kwargs: Any) -> None:
        ran.append(delivery.queue)

    paid.send(sender=None)

    assert drain(database, queue="mail").done == 1
    assert ran == ["mail"]
    assert drain(database).done == 1
    assert ran == ["mail", "default"]


def test_delay_is_the_time_until_it_is_due(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database, delay=5000)
    def note(**kwargs: Any) -> None: ...

    paid.send(sender=None)

    assert drain(database).done == 0
    [row] = rows.deliveries(database)
    assert in_seconds(row) == pytest.approx(5000, abs=60)
    rows.make_due(database)
    assert drain(database).done == 1


def test_timeout_of_an_async_receiver_is_a_failure(database: str, on: Any) -> None:
    import asyncio

    @on(paid, durable="tests.note", using=database, timeout=0.01)
    async def note(**kwargs: Any) -> None:
        await asyncio.Event().wait()

    paid.send(sender=None)
    drained = drain(database, raises=False)

    assert drained.retried == 1
    [error] = drained.errors
    assert isinstance(error, DeliveryTimeout)
    assert "It ran longer than its timeout of 0.01 s." in rows.deliveries(database)[0].last_error


# ------------------------------------------------------------------------------------- atomic


def test_work_of_an_atomic_receiver_is_undone_with_its_failure(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database, atomic=True, backoff=0, max_attempts=2)
    def note(delivery: Any, **kwargs: Any) -> None:
        Customer.objects.using(database).create(name=f"attempt {delivery.attempt}")
        if delivery.attempt == 1:
            raise ValueError

    paid.send(sender=None)
    drained = drain(database, raises=False)

    assert (drained.done, drained.retried) == (1, 1)
    assert [each.name for each in Customer.objects.using(database).all()] == ["attempt 2"]


def test_work_of_other_receivers_stays(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database, backoff=0, max_attempts=2)
    def note(delivery: Any, **kwargs: Any) -> None:
        Customer.objects.using(database).create(name=f"attempt {delivery.attempt}")
        if delivery.attempt == 1:
            raise ValueError

    paid.send(sender=None)
    drain(database, raises=False)

    names = {each.name for each in Customer.objects.using(database).all()}
    assert names == {"attempt 1", "attempt 2"}


# --------------------------------------------------------------------------- missing instances


@pytest.mark.parametrize("option", [{}, {"on_missing": "skip"}])
def test_delivery_about_what_is_gone_is_skipped(database: str, on: Any, option: Any) -> None:
    @on(paid, durable="tests.note", using=database, **option)
    def note(order: Any, **kwargs: Any) -> None:
        raise AssertionError("it has nothing to be run with")

    order = Order.objects.using(database).create()
    paid.send(sender=None, order=order)
    order.delete()

    assert drain(database).done == 1
    assert rows.deliveries(database) == []


def test_delivery_about_what_is_gone_fails_where_that_is_asked_for(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database, on_missing="fail")
    def note(order: Any, **kwargs: Any) -> None: ...

    order = Order.objects.using(database).create()
    pk = order.pk
    paid.send(sender=None, order=order)
    order.delete()
    drain(database, raises=False)

    [row] = rows.deliveries(database)
    assert (row.state, row.last_error) == ("dead", f"store.Order {pk} is gone")


# ------------------------------------------------------------------------------ using and aliases


def test_using_of_the_signal_comes_before_that_of_the_receiver(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using="default")
    def note(**kwargs: Any) -> None: ...

    paid.send(sender=None, using=database)

    assert rows.receivers(database) == ["tests.note"]


def test_using_that_no_database_has_is_an_error_at_the_send(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using="ordres")
    def note(**kwargs: Any) -> None: ...

    with pytest.raises(RecordingError) as caught:
        paid.send(sender=None)

    assert str(caught.value).startswith(
        "'tests.durable.test_options_run.test_using_that_no_database_has_is_an_error_at_the_send."
        "<locals>.note' is connected with using='ordres', but DATABASES has default, second"
    )


def test_delivery_under_an_alias_is_run_by_the_receiver_that_was_renamed(
    database: str, on: Any
) -> None:
    ran: list[str] = []

    def before(**kwargs: Any) -> None:
        raise AssertionError("it has another name by now")

    paid.connect(before, durable="tests.before", using=database)
    paid.send(sender=None)
    paid.disconnect(before)

    @on(paid, durable="tests.after", using=database, aliases=["tests.before"])
    def after(delivery: Any, **kwargs: Any) -> None:
        ran.append(delivery.receiver)

    assert drain(database).done == 1
    assert ran == ["tests.before"]


# ------------------------------------------------------------------------- the delivery argument


def test_delivery_tells_of_the_run(database: str, on: Any) -> None:
    seen: list[Any] = []

    @on(paid, durable="tests.note", using=database, key="number", queue="mail", backoff=0)
    def note(delivery: Any, **kwargs: Any) -> None:
        seen.append(delivery)
        if delivery.attempt == 1:
            raise Retry

    before = timezone.now()
    paid.send(sender=None, number=7)
    drain(database)

    first, second = seen
    assert first.id == second.id
    assert (first.attempt, second.attempt, first.max_attempts) == (1, 2, 12)
    assert abs((first.recorded_at - before).total_seconds()) < 60
    assert (first.signal, first.receiver) == ("tests.run.paid", "tests.note")
    assert (first.queue, first.key, dict(first.context)) == ("mail", "7", {})


def test_each_delivery_has_an_id_of_its_own(database: str, on: Any) -> None:
    ids: list[Any] = []

    for name in ("tests.one", "tests.two"):

        @on(paid, durable=name, using=database, weak=False)
        def note(delivery: Any, **kwargs: Any) -> None:
            ids.append(delivery.id)

    paid.send(sender=None)
    paid.send(sender=None)
    drain(database)

    assert len(set(ids)) == 4


def test_receiver_that_does_not_name_the_delivery_is_not_told(database: str, on: Any) -> None:
    declared = Signal(providing_args=["number"], name="tests.run.declared")
    ran: list[int] = []

    @on(declared, durable="tests.note", using=database)
    def note(number: int) -> None:
        ran.append(number)

    declared.send(sender=None, number=5)
    drain(database)

    assert ran == [5]


def test_argument_of_the_signal_keeps_its_name(database: str, on: Any) -> None:
    shipped = Signal(providing_args=["delivery"], name="tests.run.shipped")
    seen: list[Any] = []

    @on(shipped, durable="tests.note", using=database)
    def note(delivery: str) -> None:
        seen.append(delivery)

    shipped.send(sender=None, delivery="a parcel")
    drain(database)

    assert seen == ["a parcel"]


# ------------------------------------------------------------------------------------------ keys


def test_key_that_cannot_be_followed_is_an_error_at_the_send(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database, key="order.pk")
    def note(**kwargs: Any) -> None: ...

    with transaction.atomic(using=database):
        with pytest.raises(PayloadError, match=r"key='order\.pk' of '.*note' can't be followed in"):
            paid.send(sender=None, ordre=5)
        Customer.objects.using(database).create(name="ada")

    assert rows.messages(database) == []
    assert Customer.objects.using(database).count() == 1
