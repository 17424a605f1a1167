"""Problem 3: a failing receiver breaks its sender, or poisons the sender's transaction."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, connections, transaction
from django.db.models.signals import post_save, pre_save
from django.test.utils import CaptureQueriesContext

import signalpost
from signalpost.exceptions import ReceiverError
from tests.delivery.connections import run_async
from tests.store.models import Customer, Order


@pytest.fixture
def taken(using: str) -> None:
    Customer(name="taken").save(using=using)


def break_the_rules(using: str) -> None:
    Customer(name="taken").save(using=using)


def test_plain_receiver_poisons_its_senders_transaction(on: Any, using: str, taken: None) -> None:
    @on(post_save, sender=Order)
    def fails(**kwargs: Any) -> None:
        break_the_rules(using)

    with pytest.raises(transaction.TransactionManagementError), transaction.atomic(using=using):
        with pytest.raises(IntegrityError):
            Order().save(using=using)
        Order.objects.using(using).exists()


def test_database_error_of_a_logged_receiver_leaves_the_transaction_whole(
    on: Any, using: str, taken: None, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, on_error="log")
    def fails(**kwargs: Any) -> None:
        Customer(name="undone").save(using=using)
        break_the_rules(using)

    @on(post_save, sender=Order)
    def next_one(**kwargs: Any) -> None:
        Customer(name="of the next").save(using=using)
        seen.append("ran")

    with caplog.at_level(logging.ERROR), transaction.atomic(using=using):
        Order(status="kept").save(using=using)
        Customer(name="of the sender").save(using=using)

    assert seen == ["ran"]
    assert Order.objects.using(using).get().status == "kept"
    names = set(Customer.objects.using(using).values_list("name", flat=True))
    assert names == {"taken", "of the next", "of the sender"}
    [record] = [r for r in caplog.records if "fails" in r.getMessage()]
    assert record.name == "django.dispatch"
    assert record.exc_info
    assert record.exc_info[0] is IntegrityError


@pytest.mark.parametrize("inner", ["savepoint", "no savepoint", "set_rollback", "swallowed"])
def test_whatever_the_receiver_does_with_its_own_blocks(
    on: Any, using: str, taken: None, inner: str
) -> None:
    @on(post_save, sender=Order, on_error="log")
    def fails(**kwargs: Any) -> None:
        if inner == "swallowed":
            with pytest.raises(IntegrityError):
                break_the_rules(using)
            return
        with transaction.atomic(using=using, savepoint=inner == "savepoint"):
            if inner == "set_rollback":
                transaction.set_rollback(True, using=using)
            else:
                Customer(name="undone").save(using=using)
                break_the_rules(using)

    with transaction.atomic(using=using):
        Order(status="kept").save(using=using)
        Customer(name="of the sender").save(using=using)

    assert Order.objects.using(using).get().status == "kept"
    names = set(Customer.objects.using(using).values_list("name", flat=True))
    assert names == {"taken", "of the sender"}


def test_what_a_block_without_savepoint_did_stands_where_nothing_fails(on: Any, using: str) -> None:
    @on(post_save, sender=Order, on_error="log")
    def works(**kwargs: Any) -> None:
        with transaction.atomic(using=using, savepoint=False):
            Customer(name="kept").save(using=using)
        with transaction.atomic(using=using):
            Customer(name="kept too").save(using=using)

    with transaction.atomic(using=using), transaction.atomic(using=using):
        Order().save(using=using)
    assert Customer.objects.using(using).count() == 2


def test_savepoint_only_where_a_transaction_is_open_and_a_query_is_made(
    on: Any, using: str
) -> None:
    asks = True

    @on(post_save, sender=Order, on_error="log")
    def maybe(**kwargs: Any) -> None:
        if asks:
            Customer.objects.using(using).count()

    def statements() -> list[str]:
        with CaptureQueriesContext(connections[using]) as captured:
            Order().save(using=using)
        return [q["sql"].split()[0] for q in captured if "SAVEPOINT" in q["sql"].upper()]

    assert statements() == []
    with transaction.atomic(using=using):
        assert len(statements()) == 2
        asks = False
        assert statements() == []


def test_callbacks_of_a_failed_receiver_are_dropped(on: Any, using: str) -> None:
    seen: list[str] = []

    @on(post_save, sender=Order, on_error="log")
    def fails(**kwargs: Any) -> None:
        transaction.on_commit(lambda: seen.append("of the failed"), using=using)
        raise RuntimeError

    with transaction.atomic(using=using):
        transaction.on_commit(lambda: seen.append("before"), using=using)
        Order().save(using=using)
        transaction.on_commit(lambda: seen.append("after"), using=using)
    assert seen == ["before", "after"]


def test_error_of_a_logged_receiver_in_autocommit(on: Any, using: str, taken: None) -> None:
    @on(pre_save, sender=Order, on_error="log")
    def fails(**kwargs: Any) -> None:
        break_the_rules(using)

    Order().save(using=using)
    assert Order.objects.using(using).count() == 1


def test_what_is_no_exception_is_never_logged(on: Any) -> None:
    sent = signalpost.Signal()

    @on(sent, on_error="log")
    def stops(**kwargs: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sent.send(None)


def test_async_receiver_that_is_logged(on: Any, using: str, taken: None) -> None:
    """Beside another async receiver, whose work must not be undone with its own."""

    @on(post_save, sender=Order, on_error="log")
    async def fails(**kwargs: Any) -> None:
        await Customer(name="undone").asave(using=using)
        await asyncio.sleep(0.01)
        await Customer(name="taken").asave(using=using)

    @on(post_save, sender=Order)
    async def works(**kwargs: Any) -> None:
        await asyncio.sleep(0.001)
        await Customer(name="of the other").asave(using=using)

    with transaction.atomic(using=using):
        Order(status="kept").save(using=using)
        Customer(name="of the sender").save(using=using)
    names = set(Customer.objects.using(using).values_list("name", flat=True))
    assert names == {"taken", "of the other", "of the sender"}

    async def main() -> None:
        @sync_to_async
        def save() -> None:
            with transaction.atomic(using=using):
                Order(status="from async").save(using=using)

        await save()

    Customer.objects.using(using).filter(name="of the other").delete()
    run_async(main())
    assert Order.objects.using(using).filter(status="from async").exists()


def test_logged_async_receivers_run_together_where_no_transaction_is_open(on: Any) -> None:
    sent = signalpost.Signal()
    meeting = asyncio.Barrier(2)

    async def meet(**kwargs: Any) -> str:
        await asyncio.wait_for(meeting.wait(), 10)
        return "met"

    async def meet_too(**kwargs: Any) -> str:
        return await meet()

    on(sent, on_error="log")(meet)
    on(sent, on_error="log")(meet_too)
    responses = run_async(sent.asend(None))
    assert responses == [(meet, "met"), (meet_too, "met")]


def test_outcomes_tell_raised_from_returned(on: Any) -> None:
    sent = signalpost.Signal()
    error, returned = ValueError("raised"), ValueError("returned")

    @on(sent)
    def returns(**kwargs: Any) -> Exception:
        return returned

    @on(sent, on_error="log")
    def fails(**kwargs: Any) -> None:
        raise error

    @on(sent)
    async def fails_later(**kwargs: Any) -> None:
        raise error

    outcomes = sent.send_robust(None)
    assert outcomes == [(returns, returned), (fails, error), (fails_later, error)]
    assert all(isinstance(outcome, signalpost.Outcome) for outcome in outcomes)
    assert [o.raised for o in outcomes] == [False, True, True]  # type: ignore[attr-defined]
    assert [o.error for o in outcomes] == [None, error, error]  # type: ignore[attr-defined]
    assert [o.receiver for o in outcomes] == [returns, fails, fails_later]  # type: ignore[attr-defined]
    assert outcomes[0].response is returned  # type: ignore[attr-defined]

    sent.disconnect(fails_later)
    [plain, logged] = sent.send(None)
    assert type(plain) is tuple
    assert isinstance(logged, signalpost.Outcome)
    assert logged.raised


def test_adopted_robust_sends_give_outcomes(on: Any) -> None:
    error = ValueError()

    @on(post_save)
    def fails(**kwargs: Any) -> None:
        raise error

    [outcome] = post_save.send_robust(Order, instance=None)
    assert isinstance(outcome, signalpost.Outcome)
    assert outcome.error is error


def test_send_all_runs_all_and_raises_what_failed(on: Any, using: str, taken: None) -> None:
    sent = signalpost.Signal(providing_args=["order"])
    seen: list[str] = []

    @on(sent)
    def database(order: Any) -> None:
        break_the_rules(using)

    @on(sent)
    def fails(order: Any) -> None:
        raise ValueError("broken")

    @on(sent, on_error="log")
    def logged(order: Any) -> None:
        raise KeyError("logged")

    @on(sent)
    def works(order: Any) -> str:
        seen.append("ran")
        return str(Customer.objects.using(using).count())

    @on(sent)
    async def fails_later(order: Any) -> None:
        raise LookupError("late")

    with transaction.atomic(using=using):
        with pytest.raises(ExceptionGroup, match="3 of 5 receivers of signal") as caught:
            sent.send_all(None, order=1)
        kinds = [type(error) for error in caught.value.exceptions]
        assert kinds == [IntegrityError, ValueError, LookupError]
        assert caught.value.exceptions[1].__notes__ == [
            "Raised by receiver 'tests.delivery.test_failures."
            "test_send_all_runs_all_and_raises_what_failed.<locals>.fails'."
        ]
        Order().save(using=using)
    assert seen == ["ran"]
    with pytest.raises(ExceptionGroup):
        run_async(sent.asend_all(None, order=1))
    with pytest.raises(signalpost.PayloadError):
        sent.send_all(None)

    for receiver in (database, fails, fails_later):
        sent.disconnect(receiver)
    assert sent.send_all(None, order=1)[1] == (works, "1")


def test_on_error_is_one_of_two() -> None:
    with pytest.raises(ReceiverError, match=r"on_error='ignore' is neither \"raise\" nor \"log\""):
        signalpost.receiver(post_save, on_error="ignore")(lambda **kwargs: None)  # type: ignore[call-overload]
