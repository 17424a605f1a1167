"""PostgreSQL's claims go on behind the last one while they are full, and forget nobody in front."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from signalpost.delivery.store import NewDelivery, NewMessage
from signalpost.django.models import Delivery
from signalpost.django.stores.postgresql import PostgreSQLStore
from signalpost.django.stores.progress import FROM_THE_FRONT_EVERY, Progress
from tests import services
from tests.durable.conftest import empty
from tests.durable.stores.backlog import read

ALIAS = "postgres"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(django_db_setup: None, django_db_blocker: Any, clock: Clock) -> Iterator[PostgreSQLStore]:
    services.need(ALIAS)
    with django_db_blocker.unblock():
        empty(ALIAS)
        made = PostgreSQLStore(ALIAS)
        made.progress = Progress(clock)
        yield made
        empty(ALIAS)


def record(store: PostgreSQLStore, name: str, *, ago: float = 0.0) -> None:
    """A delivery that has been due for so long."""
    message = NewMessage(uuid4(), "tests.paid", "{}", "{}")
    store.record(message, [NewDelivery(name, "default", 3, None, -ago)])


def claim(store: PostgreSQLStore, limit: int) -> list[str]:
    claimed = store.claim("default", limit=limit, owner="worker", lease=60.0)
    return sorted(owed.receiver for owed in claimed.owed)


def test_full_claims_go_on_behind_the_last_for_a_second(
    store: PostgreSQLStore, clock: Clock
) -> None:
    for name in "abcdefgh":
        record(store, name)
    assert claim(store, 2) == ["a", "b"]
    record(store, "early", ago=60.0)

    assert claim(store, 2) == ["c", "d"]
    clock.now += FROM_THE_FRONT_EVERY
    assert claim(store, 2) == ["e", "early"]
    assert claim(store, 2) == ["f", "g"]


def test_claim_that_is_not_full_has_the_next_one_begin_at_the_front(store: PostgreSQLStore) -> None:
    for name in "abc":
        record(store, name)
    assert claim(store, 2) == ["a", "b"]
    record(store, "early", ago=60.0)

    assert claim(store, 2) == ["c"]
    assert claim(store, 2) == ["early"]
    assert claim(store, 2) == []


def test_claim_that_finds_nothing_behind_looks_at_the_front(store: PostgreSQLStore) -> None:
    for name in "ab":
        record(store, name)
    assert claim(store, 2) == ["a", "b"]
    record(store, "early", ago=60.0)

    assert store.due(["default"]) == [("default", False)]
    assert claim(store, 2) == ["early"]
    assert store.due(["default"]) == []


def test_those_of_one_time_are_claimed_in_their_order(store: PostgreSQLStore) -> None:
    for name in "abcdef":
        record(store, name)
    Delivery.objects.using(ALIAS).update(available_at="2020-01-01T00:00:00Z")

    assert [claim(store, 2) for _ in range(3)] == [["a", "b"], ["c", "d"], ["e", "f"]]


def test_lanes_come_on_by_themselves(store: PostgreSQLStore) -> None:
    for name in "abc":
        record(store, name)
    assert claim(store, 2) == ["a", "b"]

    assert not store.has_more("other")
    assert store.claim("other", limit=2, owner="worker", lease=60.0).owed == []
    assert store.has_more("default")


def test_claims_do_not_pass_over_what_was_claimed_before(store: PostgreSQLStore) -> None:
    """Its entries stay in the index until the table is vacuumed."""
    for name in map(str, range(3000)):
        record(store, name)

    def cost() -> int:
        return read(ALIAS, lambda: claim(store, 1))

    claim(store, 100)
    first = cost()
    for _ in range(25):
        claim(store, 100)

    last = cost()
    assert last < 1.5 * first, (first, last)
