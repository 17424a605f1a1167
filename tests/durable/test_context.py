"""`signal_context`: stored with each delivery, and restored around its run."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils.functional import SimpleLazyObject

from signalpost import Signal, current_context, signal_context
from signalpost.delivery.context import hops
from signalpost.exceptions import RecordingError
from signalpost.testing import drain
from tests.durable import rows
from tests.store.models import Customer

paid = Signal(name="tests.context.paid")


@pytest.fixture
def seen(database: str, on: Any) -> list[dict[str, Any]]:
    """The contexts in which the receiver ran."""
    contexts: list[dict[str, Any]] = []

    @on(paid, durable="tests.note", using=database, weak=False)
    def note(delivery: Any, **kwargs: Any) -> None:
        assert current_context() == delivery.context
        contexts.append(dict(delivery.context))

    return contexts


def test_context_is_restored_around_the_run(database: str, seen: Any) -> None:
    with signal_context(actor="ada", request_id=5):
        paid.send(sender=None)
    assert dict(current_context()) == {}

    drain(database)

    assert seen == [{"actor": "ada", "request_id": 5}]
    assert dict(current_context()) == {}


def test_inner_block_adds_to_the_outer_and_wins(database: str, seen: Any) -> None:
    with signal_context(actor="ada", tenant=1):
        with signal_context(actor="bob", job="import"):
            paid.send(sender=None)
        paid.send(sender=None)
    drain(database)

    assert seen == [
        {"actor": "bob", "tenant": 1, "job": "import"},
        {"actor": "ada", "tenant": 1},
    ]


def test_block_that_fails_ends_too() -> None:
    with pytest.raises(ZeroDivisionError), signal_context(actor="ada"):
        raise ZeroDivisionError

    assert dict(current_context()) == {}


def test_context_cannot_be_changed() -> None:
    with signal_context(actor="ada") as context, pytest.raises(TypeError):
        context["actor"] = "bob"  # type: ignore[index]


def test_delivery_runs_in_the_context_of_its_sender_alone(database: str, seen: Any) -> None:
    with signal_context(actor="ada"):
        paid.send(sender=None)

    with signal_context(actor="the worker", host="w1"):
        drain(database)
        assert dict(current_context()) == {"actor": "the worker", "host": "w1"}

    assert seen == [{"actor": "ada"}]


def test_context_without_any_is_empty_and_not_stored(database: str, seen: Any) -> None:
    paid.send(sender=None)

    assert [message.headers for message in rows.messages(database)] == ["{}"]
    drain(database)
    assert seen == [{}]


def test_context_goes_on_with_what_a_receiver_sends(database: str, seen: Any, on: Any) -> None:
    first = Signal(name="tests.context.first")

    @on(first, durable="tests.first", using=database)
    def pass_on(**kwargs: Any) -> None:
        with signal_context(step=2):
            paid.send(sender=None)

    with signal_context(actor="ada"):
        first.send(sender=None)
    drain(database)

    assert seen == [{"actor": "ada", "step": 2}]
    assert hops.get() == 0


def test_context_is_restored_where_a_receiver_fails(database: str, on: Any) -> None:
    @on(paid, durable="tests.note", using=database)
    def note(**kwargs: Any) -> None:
        raise ValueError

    with signal_context(actor="ada"):
        paid.send(sender=None)
    drain(database, raises=False)

    assert dict(current_context()) == {}
    assert hops.get() == 0


def test_async_receiver_has_the_context_of_its_sender(database: str, on: Any) -> None:
    seen: list[Any] = []

    @on(paid, durable="tests.note", using=database)
    async def note(number: int, **kwargs: Any) -> None:
        await asyncio.sleep(0)
        seen.append((number, dict(current_context())))

    for number in range(3):
        with signal_context(actor=number):
            paid.send(sender=None, number=number)
    drain(database)

    assert sorted(seen) == [(number, {"actor": number}) for number in range(3)]


def test_user_of_a_request_is_fetched_again(database: str, seen: Any) -> None:
    customer = Customer.objects.using(database).create(name="ada")
    with signal_context(actor=SimpleLazyObject(lambda: customer)):
        paid.send(sender=None)
    drain(database)

    assert [context["actor"] for context in seen] == [customer]
    assert seen[0]["actor"] is not customer


def test_request_without_a_login_has_an_actor_too(database: str, seen: Any) -> None:
    with signal_context(actor=SimpleLazyObject(AnonymousUser)):
        paid.send(sender=None)
    drain(database)

    assert isinstance(seen[0]["actor"], AnonymousUser)


def test_actor_who_is_gone_is_none_and_the_delivery_runs(database: str, seen: Any) -> None:
    customer = Customer.objects.using(database).create(name="ada")
    with signal_context(actor=customer, request_id=5):
        paid.send(sender=None)
    customer.delete()
    drain(database)

    assert seen == [{"actor": None, "request_id": 5}]


def test_context_that_cannot_be_stored_is_an_error_at_the_send(database: str, seen: Any) -> None:
    with signal_context(actor=object()), pytest.raises(RecordingError) as caught:
        paid.send(sender=None)

    assert "in signal_context: argument 'actor' can't be stored: a builtins.object isn't" in str(
        caught.value
    )
    assert rows.messages(database) == []


def test_tasks_and_threads_have_contexts_of_their_own() -> None:
    seen: dict[str, Any] = {}

    async def act(name: str) -> None:
        with signal_context(actor=name):
            await asyncio.sleep(0)
            seen[name] = dict(current_context())

    async def both() -> None:
        await asyncio.gather(act("ada"), act("bob"))

    asyncio.run(both())
    with signal_context(actor="main"):
        thread = threading.Thread(target=lambda: seen.update(thread=dict(current_context())))
        thread.start()
        thread.join()

    assert seen == {"ada": {"actor": "ada"}, "bob": {"actor": "bob"}, "thread": {}}
