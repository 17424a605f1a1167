"""The `receivers` list: a change from outside counts at once, a wrong one changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from signalpost import ReceiverError
from tests.dispatch.heat import dispatch, heat, responses
from tests.dispatch.listeners import A, B, C, D, Sender, connected, row_of


def iadd(rows: Any, added: Any) -> None:
    rows += added


def imul(rows: Any, times: int) -> None:
    rows *= times


MUTATIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "append": (lambda rows: rows.append(row_of(D)), "ABCD"),
    "extend": (lambda rows: rows.extend([row_of(D)]), "ABCD"),
    "insert": (lambda rows: rows.insert(0, row_of(D)), "DABC"),
    "remove": (lambda rows: rows.remove(rows[1]), "AC"),
    "pop": (lambda rows: rows.pop(), "AB"),
    "pop an index": (lambda rows: rows.pop(0), "BC"),
    "clear": (lambda rows: rows.clear(), ""),
    "reverse": (lambda rows: rows.reverse(), "CBA"),
    "sort": (lambda rows: rows.sort(key=lambda row: row[1]().label, reverse=True), "CBA"),
    "del": (lambda rows: rows.__delitem__(0), "BC"),
    "del a slice": (lambda rows: rows.__delitem__(slice(0, 2)), "C"),
    "set": (lambda rows: rows.__setitem__(1, row_of(D)), "ADC"),
    "set a slice": (lambda rows: rows.__setitem__(slice(1, 3), [row_of(D)]), "AD"),
    "+=": (lambda rows: iadd(rows, [row_of(D)]), "ABCD"),
    "*= 0": (lambda rows: imul(rows, 0), ""),
    "*= 2": (lambda rows: imul(rows, 2), "ABCABC"),
}


@pytest.mark.parametrize("kind", MUTATIONS)
@pytest.mark.parametrize("way", ["send", "asend_robust"])
def test_change_in_place_counts_from_the_next_send(kind: str, way: str, sends_before: int) -> None:
    change, expected = MUTATIONS[kind]
    signal = connected(A, B, C, sends=sends_before)
    change(signal.receivers)

    assert "".join(responses(dispatch(way, signal))) == expected
    assert signal.has_listeners() is bool(expected)
    assert len(signal.receivers) == len(expected)


@pytest.mark.parametrize("kind", MUTATIONS)
def test_connections_can_be_told_apart_after_a_change(kind: str, sends_before: int) -> None:
    change, expected = MUTATIONS[kind]
    signal = connected(A, B, C, sends=sends_before)
    change(signal.receivers)

    for receiver in (A, B, C, D):
        signal.connect(receiver)
    missing = "".join(label for label in "ABCD" if label not in expected)
    assert "".join(responses(signal.send(None))) == expected + missing
    for receiver in (A, B, C, D):
        while signal.disconnect(receiver):
            pass
    assert signal.receivers == []
    assert signal.send(None) == []


def fails_after_one() -> Any:
    yield row_of(D)
    raise LookupError


KEY = (1, 2)
MALFORMED: dict[str, Any] = {
    "no row": 5,
    "a receiver": D,
    "empty": (),
    "too short": (KEY, D),
    "too long": (KEY, D, None, False, False),
    "without a key": (1, D, None, False),
    "with a key of three": ((1, 2, 3), D, None, False),
    "with a key that can't be hashed": ((1, []), D, None, False),
    "with a receiver that can't be called": (KEY, 5, None, False),
    "with a sender that is no reference": (KEY, D, "Sender", False),
}
INSERTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "append": lambda rows, row: rows.append(row),
    "extend": lambda rows, row: rows.extend([row_of(D), row]),
    "insert": lambda rows, row: rows.insert(0, row),
    "set": lambda rows, row: rows.__setitem__(0, row),
    "set a slice": lambda rows, row: rows.__setitem__(slice(0, 2), [row_of(D), row]),
    "+=": lambda rows, row: iadd(rows, [row_of(D), row]),
}


@pytest.mark.parametrize("kind", MALFORMED)
@pytest.mark.parametrize("way", INSERTIONS)
def test_malformed_row_is_refused_and_nothing_is_lost(
    kind: str, way: str, sends_before: int
) -> None:
    signal = connected(A, B, C, sends=sends_before)
    rows = list(signal.receivers)

    with pytest.raises(ReceiverError) as caught:
        INSERTIONS[way](signal.receivers, MALFORMED[kind])

    assert str(caught.value) == (
        f"Cannot take {MALFORMED[kind]!r} as a row of a signal's receivers: it isn't of the shape "
        "that Django gives them. Connect receivers with signal.connect(...)."
    )
    assert signal.receivers == rows
    assert "".join(responses(signal.send(None))) == "ABC"
    assert "".join(responses(signal.send(Sender))) == "ABC"
    assert signal.disconnect(A)
    assert "".join(responses(signal.send(None))) == "BC"


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_list_is_refused_and_nothing_is_lost(kind: str, sends_before: int) -> None:
    signal = connected(A, B, C, sends=sends_before)

    with pytest.raises(ReceiverError, match="Cannot take"):
        signal.receivers = [MALFORMED[kind], row_of(D)]

    assert "".join(responses(signal.send(None))) == "ABC"
    assert len(signal.receivers) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.extend(fails_after_one()),
        lambda rows: iadd(rows, fails_after_one()),
        lambda rows: rows.sort(key=lambda row: {}[row]),
        lambda rows: rows.__setitem__(slice(0, 2), fails_after_one()),
    ],
    ids=["extend", "+=", "sort", "set a slice"],
)
def test_change_that_fails_halfway_changes_nothing(change: Any, sends_before: int) -> None:
    signal = connected(A, B, C, sends=sends_before)
    rows = list(signal.receivers)

    with pytest.raises(LookupError):
        change(signal.receivers)

    assert signal.receivers == rows
    assert "".join(responses(signal.send(None))) == "ABC"


def test_list_that_was_swapped_out_has_no_effect(sends_before: int) -> None:
    signal = connected(A, sends=sends_before)
    old, signal.receivers = signal.receivers, []
    old.append(row_of(B))
    old.append("not even a row")
    heat(signal, sends_before)

    assert signal.send(None) == []
    signal.connect(C)
    assert responses(signal.send(None)) == ["C"]
    assert len(old) == 3


def test_list_may_outlive_its_signal() -> None:
    signal = connected(A)
    rows = signal.receivers
    del signal
    rows.append("not even a row")
    rows.clear()

    assert rows == []


def test_assigned_list_is_copied(sends_before: int) -> None:
    signal = connected(A)
    given = [row_of(B)]
    signal.receivers = given
    heat(signal, sends_before)
    given.append(row_of(C))

    assert responses(signal.send(None)) == ["B"]
    signal.receivers.append(row_of(C))
    assert responses(signal.send(None)) == ["B", "C"]


@pytest.mark.parametrize("read_before", [True, False])
def test_list_replaced_by_mock_patch_is_restored(read_before: bool, sends_before: int) -> None:
    signal = connected(A, sends=sends_before)
    if read_before:
        assert len(signal.receivers) == 1

    with mock.patch.object(signal, "receivers", []):
        assert signal.send(None) == []
        signal.connect(B)
        assert responses(signal.send(None)) == ["B"]

    assert responses(signal.send(None)) == ["A"]
    assert signal.disconnect(A)
