"""What an operator does to deliveries, beside what workers do to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from signalpost import GiveUp, Signal
from signalpost.django.models import Delivery, Message
from signalpost.django.operating.actions import Selection, cancel, pause, replay, resume, retry
from signalpost.django.stores import store_for
from signalpost.testing import drain
from tests.durable.workers import run
from tests.store.models import Customer

paid = Signal(name="tests.operating.paid")
shipped = Signal(name="tests.operating.shipped")


class Record:
    """What the receivers have seen; they fail while `fails` is true."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, database: str) -> None:
        self.database = database
        self.fails = True
        self.seen: list[Any] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def run(self, number: int) -> None:
        if self.fails:
            raise GiveUp("no use")
        self.meanwhile()
        self.seen.append(number)

    def drain(self) -> Any:
        return drain(self.database, raises=False)

    def states(self) -> list[str]:
        rows = Delivery.objects.using(self.database).order_by("id")
        return list(rows.values_list("state", flat=True))

    def ids(self) -> list[int]:
        rows = Delivery.objects.using(self.database).order_by("id")
        return list(rows.values_list("id", flat=True))

    def messages(self) -> list[int]:
        return list(Message.objects.using(self.database).values_list("id", flat=True))


record = Record()


def pay(sender: Any, order: str, number: int, **kwargs: Any) -> None:
    record.run(number)


def ship(sender: Any, number: int, **kwargs: Any) -> None:
    record.run(number)


@pytest.fixture
def recorded(database: str, on: Any) -> Record:
    on(paid, durable="tests.pay", using=database, key="order", queue="money")(pay)
    on(shipped, durable="tests.ship", using=database)(ship)
    record.begin(database)
    return record


def test_dead_delivery_is_retried_with_all_its_attempts(recorded: Record) -> None:
    shipped.send(None, number=1)
    recorded.drain()
    [dead] = Delivery.objects.using(recorded.database)
    assert (dead.state, dead.attempts) == ("dead", 1)
    assert retry(recorded.database, Selection()) == 1
    [ready] = Delivery.objects.using(recorded.database)
    assert (ready.state, ready.attempts, ready.settled_at) == ("ready", 0, None)
    assert ready.fence == dead.fence + 1
    recorded.fails = False
    assert recorded.drain().done == 1
    assert recorded.seen == [1]


def test_requeue_twice_and_while_running_is_harmless(recorded: Record) -> None:
    shipped.send(None, number=1)
    recorded.drain()
    assert [retry(recorded.database, Selection()) for _ in range(2)] == [1, 0]
    claim = store_for(recorded.database).claim("default", limit=9, owner="w", lease=60)
    assert retry(recorded.database, Selection()) == 0
    assert retry(recorded.database, Selection(ids=(claim.owed[0].id,))) == 0
    assert recorded.states() == ["claimed"]
    recorded.fails = False
    recorded.meanwhile = lambda: told.append(retry(recorded.database, Selection()))
    told: list[int] = []
    run(recorded.database, claim)
    assert (told, recorded.states()) == ([0], [])
    assert retry(recorded.database, Selection()) == 0
    assert recorded.drain().done == 0
    assert recorded.seen == [1]


@pytest.mark.parametrize(
    ("selection", "changed"),
    [
        (Selection(), 3),
        (Selection(receiver="tests.pay"), 1),
        (Selection(signal="tests.operating.shipped"), 2),
        (Selection(queue="money"), 1),
        (Selection(queue="default", signal="tests.operating.paid"), 0),
        (Selection(receiver="tests.p%"), 0),
    ],
    ids=repr,
)
def test_selection_is_all_of_what_is_given(
    recorded: Record, selection: Selection, changed: int
) -> None:
    paid.send(None, order="a", number=1)
    shipped.send(None, number=2)
    shipped.send(None, number=3)
    recorded.drain()
    assert retry(recorded.database, selection) == changed


def test_cancelled_delivery_is_never_run(recorded: Record) -> None:
    shipped.send(None, number=1)
    shipped.send(None, number=2)
    recorded.fails = False
    first, _ = recorded.ids()
    assert cancel(recorded.database, Selection(ids=(first,))) == 1
    assert cancel(recorded.database, Selection(ids=(first,))) == 0
    recorded.drain()
    assert recorded.seen == [2]
    [row] = Delivery.objects.using(recorded.database)
    assert row.state == "cancelled"
    assert row.settled_at is not None


def test_running_delivery_is_not_cancelled(recorded: Record) -> None:
    shipped.send(None, number=1)
    store_for(recorded.database).claim("default", limit=9, owner="w", lease=60)
    assert cancel(recorded.database, Selection()) == 0
    assert recorded.states() == ["claimed"]


def test_cancelling_the_one_that_blocks_releases_its_followers(recorded: Record) -> None:
    for number in (1, 2, 3):
        paid.send(None, order="a", number=number)
    recorded.drain()
    assert recorded.states() == ["dead", "blocked", "blocked"]
    recorded.fails = False
    assert cancel(recorded.database, Selection(ids=tuple(recorded.ids()[:1]))) == 1
    assert recorded.states() == ["cancelled", "ready", "ready"]
    recorded.drain()
    assert recorded.seen == [2, 3]


def test_retrying_the_one_that_blocks_keeps_the_order(recorded: Record) -> None:
    for number in (1, 2, 3):
        paid.send(None, order="a", number=number)
    recorded.drain()
    recorded.fails = False
    assert retry(recorded.database, Selection(receiver="tests.pay")) == 1
    recorded.drain()
    assert recorded.seen == [1, 2, 3]


def test_many_are_changed_in_batches_with_progress(
    recorded: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signalpost.django.operating.actions.BATCH", 2)
    for number in range(5):
        shipped.send(None, number=number)
    recorded.drain()
    told: list[int] = []
    assert retry(recorded.database, Selection(), progress=told.append) == 5
    assert told == [2, 4, 5]


def test_paused_queue_is_resumed(database: str) -> None:
    assert [pause(database, "mail") for _ in range(2)] == [True, False]
    assert store_for(database).paused() == {"mail"}
    assert [resume(database, "mail") for _ in range(2)] == [True, False]
    assert store_for(database).paused() == frozenset()


def test_done_message_is_replayed(recorded: Record) -> None:
    recorded.fails = False
    paid.send(None, order="a", number=1)
    recorded.drain()
    assert replay(recorded.database, recorded.messages()) == 1
    [row] = Delivery.objects.using(recorded.database)
    assert (row.receiver, row.lane, row.ordering_key) == ("tests.pay", "money", "a")
    assert row.slot != 0
    recorded.drain()
    assert recorded.seen == [1, 1]


def test_replay_leaves_what_is_unsettled_alone(recorded: Record) -> None:
    shipped.send(None, number=1)
    assert replay(recorded.database, recorded.messages()) == 0
    recorded.drain()
    assert recorded.states() == ["dead"]
    assert replay(recorded.database, recorded.messages()) == 0


def test_replay_makes_a_cancelled_delivery_ready(recorded: Record) -> None:
    shipped.send(None, number=1)
    cancel(recorded.database, Selection())
    assert replay(recorded.database, recorded.messages()) == 1
    assert recorded.states() == ["ready"]


def test_replay_to_named_receivers_only(recorded: Record, on: Any) -> None:
    recorded.fails = False
    shipped.send(None, number=1)
    recorded.drain()

    @on(shipped, durable="tests.new", using=recorded.database, aliases=["tests.older"])
    def new(sender: Any, number: int, **kwargs: Any) -> None:
        recorded.seen.append(-number)

    assert replay(recorded.database, recorded.messages(), ["tests.nobody"]) == 0
    assert replay(recorded.database, recorded.messages(), ["tests.older"]) == 1
    recorded.drain()
    assert recorded.seen == [1, -1]


def test_replay_finds_a_delivery_under_an_alias(recorded: Record, on: Any) -> None:
    shipped.send(None, number=1)
    renamed = Delivery.objects.using(recorded.database)
    renamed.update(receiver="tests.older")

    @on(shipped, durable="tests.new", using=recorded.database, aliases=["tests.older"])
    def new(sender: Any, number: int, **kwargs: Any) -> None: ...

    assert replay(recorded.database, recorded.messages(), ["tests.new"]) == 0


def test_replay_asks_for_the_sender_and_the_rules(recorded: Record, on: Any) -> None:
    recorded.fails = False
    shipped.send("shop", number=1)
    recorded.drain()
    options = {"using": recorded.database}

    @on(shipped, durable="tests.other_sender", sender="stall", **options)
    def other_sender(**kwargs: Any) -> None: ...

    @on(shipped, durable="tests.same_sender", sender="shop", **options)
    def same_sender(**kwargs: Any) -> None: ...

    @on(shipped, durable="tests.unwanted", when=lambda number: number > 1, **options)
    def unwanted(**kwargs: Any) -> None: ...

    @on(shipped, durable="tests.wanted", when=lambda number: number == 1, **options)
    def wanted(**kwargs: Any) -> None: ...

    assert replay(recorded.database, recorded.messages()) == 3
    rows = Delivery.objects.using(recorded.database).values_list("receiver", flat=True)
    assert sorted(rows) == ["tests.same_sender", "tests.ship", "tests.wanted"]


def test_replay_of_what_is_gone_is_left_to_the_worker(recorded: Record, on: Any) -> None:
    recorded.fails = False
    customer = Customer.objects.using(recorded.database).create(name="Ada")
    shipped.send(None, number=1, customer=customer)
    recorded.drain()
    customer.delete()

    @on(shipped, durable="tests.strict", using=recorded.database, on_missing="fail")
    def strict(sender: Any, customer: Any, **kwargs: Any) -> None: ...

    assert replay(recorded.database, recorded.messages(), ["tests.strict"]) == 1
    [error] = recorded.drain().errors
    assert str(error).endswith(" is gone")


def test_replay_in_a_transaction_is_undone_with_it(recorded: Record) -> None:
    recorded.fails = False
    shipped.send(None, number=1)
    recorded.drain()
    with transaction.atomic(using=recorded.database):
        assert replay(recorded.database, recorded.messages()) == 1
        transaction.set_rollback(True, using=recorded.database)
    assert recorded.states() == []
