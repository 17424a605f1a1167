"""Receivers that die at once, and receivers without a name that fail."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
from typing import Any

import pytest

from tests.stress.subjects import Make, every_subject


class Temporary:
    # Of a size that little else has, so that the next one gets the memory, and the id, of the last.
    __slots__ = ("__weakref__", *(f"padding_{number}" for number in range(40)))

    def hear(self, calls: list[str], **named: Any) -> Temporary:
        calls.append("heard")
        return self


class Origin:
    """A sender."""


@every_subject
@pytest.mark.parametrize("sender", [None, Origin], ids=["any-sender", "one-sender"])
def test_receiver_kept_after_200_temporary_ones_is_called(make: Make, sender: Any) -> None:
    signal = make()
    for _ in range(200):
        signal.connect(Temporary().hear, sender=sender)
    kept = Temporary()
    signal.connect(kept.hear, sender=sender)
    assert [response for _, response in signal.send(Origin, calls=[])] == [kept]


@every_subject
def test_none_of_200_receivers_is_lost_to_a_temporary_one(make: Make) -> None:
    signal = make()
    kept = []
    for _ in range(200):
        signal.connect(Temporary().hear)
        survivor = Temporary()
        signal.connect(survivor.hear)
        kept.append(survivor)
    assert [response for _, response in signal.send(Origin, calls=[])] == kept


@every_subject
@pytest.mark.parametrize("uid", ["x", ["unhashable"]], ids=str)
def test_temporary_one_does_not_keep_its_uid(make: Make, uid: Any) -> None:
    signal = make()
    for _ in range(10):
        signal.connect(Temporary().hear, dispatch_uid=uid)
    kept = Temporary()
    signal.connect(kept.hear, dispatch_uid=uid)
    signal.connect(Temporary().hear, dispatch_uid=uid)
    assert [response for _, response in signal.send(Origin, calls=[])] == [kept]
    assert signal.disconnect(dispatch_uid=uid) is True
    assert signal.send(Origin, calls=[]) == []


@every_subject
def test_temporary_ones_are_swept_away(make: Make) -> None:
    signal = make()
    kept = Temporary()
    signal.connect(kept.hear)
    for _ in range(10_000):
        signal.connect(Temporary().hear)
    assert signal.has_listeners(Origin)
    gc.collect()
    assert len(signal.receivers) == 1


@every_subject
def test_new_sender_with_the_id_of_a_dead_one_has_no_receivers(make: Make) -> None:
    signal = make()
    kept = Temporary()
    dead = Temporary()  # a sender this time
    signal.connect(kept.hear, sender=dead)
    assert len(signal.send(dead, calls=[])) == 1
    dead_id = id(dead)
    del dead
    living = Temporary()
    assert id(living) == dead_id
    assert not signal.has_listeners(living)
    assert signal.send(living, calls=[]) == []
    signal.connect(kept.hear, sender=living)
    assert len(signal.send(living, calls=[])) == 1


def fail(**named: Any) -> None:
    raise ValueError("on purpose")


async def fail_later(**named: Any) -> None:
    raise ValueError("on purpose")


class Failing:
    def __call__(self, **named: Any) -> None:
        raise ValueError("on purpose")


class FailingLater:
    async def __call__(self, **named: Any) -> None:
        raise ValueError("on purpose")


@every_subject
@pytest.mark.parametrize("how", ["send_robust", "asend_robust"])
@pytest.mark.parametrize(
    "failing",
    [functools.partial(fail), functools.partial(fail_later), Failing(), FailingLater()],
    ids=["partial", "partial-async", "object", "object-async"],
)
def test_failing_receiver_without_a_name_is_collected_and_logged(
    make: Make, how: str, failing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    signal = make()
    kept = Temporary()
    signal.connect(failing)
    signal.connect(kept.hear)
    calls: list[str] = []
    with caplog.at_level(logging.ERROR):
        result = getattr(signal, how)(Origin, calls=calls)
        responses = dict(asyncio.run(result) if how == "asend_robust" else result)
    assert calls == ["heard"]
    assert responses[kept.hear] is kept
    assert repr(responses[failing]) == "ValueError('on purpose')"
    [record] = caplog.records
    assert record.name == "django.dispatch"
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[1] is responses[failing]
    name = (
        "fail_later"
        if "later" in repr(failing)
        else "fail"
        if "partial" in repr(failing)
        else type(failing).__name__
    )
    assert name in record.getMessage()
    assert f"in Signal.{how}() (on purpose)" in record.getMessage()
