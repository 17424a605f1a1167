"""Copies of the `receivers` list, and what a row of it says."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from signalpost import Signal
from tests.dispatch.heat import heat, responses
from tests.dispatch.listeners import A, B, Host, Sender, connected


@pytest.mark.parametrize(
    "copied", [copy.copy, list, lambda rows: rows.copy(), lambda rows: rows[:]]
)
def test_copy_of_the_list_is_a_plain_one(copied: Any) -> None:
    signal = connected(A, B)
    rows = copied(signal.receivers)

    assert type(rows) is list
    assert rows == signal.receivers
    rows.clear()
    assert responses(signal.send(None)) == ["A", "B"]


def test_copy_of_the_list_can_be_put_back(sends_before: int) -> None:
    signal = connected(A)
    signal.connect(B, sender=Sender, priority=1)
    kept = copy.copy(signal.receivers)
    signal.receivers.clear()
    signal.receivers = kept
    heat(signal, sends_before)

    assert responses(signal.send(Sender)) == ["B", "A"]
    assert responses(signal.send(None)) == ["A"]


def test_list_can_be_copied_deeply_where_receivers_can() -> None:
    # References are copied as themselves, as in Django's list.
    def receiver(**named: Any) -> None: ...

    signal = connected(receiver)
    signal.connect(receiver, sender=Sender)
    rows = copy.deepcopy(signal.receivers)

    assert type(rows) is list
    assert [(row[0], row[1]()) for row in rows] == [(row[0], receiver) for row in signal.receivers]


def strong_receiver(**named: Any) -> str:
    return "strong"


def test_strong_connections_can_be_pickled() -> None:
    signal = Signal()
    signal.connect(strong_receiver, weak=False)
    rows = pickle.loads(pickle.dumps(signal.receivers))

    assert type(rows) is list
    assert [type(row) for row in rows] == [tuple]
    other = Signal()
    other.receivers = rows
    assert responses(other.send(None)) == ["strong"]


def test_rows_know_sender_and_kind() -> None:
    async def asynchronous(**named: Any) -> None: ...

    signal = Signal()
    signal.connect(A.method, sender=Sender)
    signal.connect(asynchronous, weak=False, dispatch_uid="uid")
    (first_key, first, first_sender, first_async), (second_key, second, *rest) = signal.receivers

    assert first_key == ((id(A), id(Host.method)), id(Sender))
    assert (first(), first_sender(), first_async) == (A.method, Sender, False)
    assert second_key == ("uid", id(None))
    assert second is asynchronous
    assert rest == [None, True]
