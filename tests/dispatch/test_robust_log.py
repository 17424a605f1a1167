"""What `send_robust` and `asend_robust` log about a receiver that failed."""

from __future__ import annotations

import functools
import logging
import traceback
from typing import Any

import pytest

from signalpost import Signal
from tests.dispatch.heat import dispatch, heat, responses

LOGGER = "django.dispatch"
ROBUST = ("send_robust", "asend_robust")


class Host:
    def method(self, **named: Any) -> None:
        raise ValueError("broken")

    def __call__(self, **named: Any) -> None:
        raise ValueError("broken")


class Evasive(Host):
    """An object that turns nasty once it is connected."""

    nasty = False

    def __getattribute__(self, name: str) -> Any:
        if object.__getattribute__(self, "nasty"):
            raise RuntimeError(f"no {name} here")
        return object.__getattribute__(self, name)


def failing(**named: Any) -> None:
    raise ValueError("broken")


async def failing_async(**named: Any) -> None:
    raise ValueError("broken")


def fine(**named: Any) -> str:
    return "fine"


FAILING = {
    "function": (failing, "failing"),
    "async function": (failing_async, "failing_async"),
    "method": (Host().method, "Host.method"),
    "object": (Host(), "Host object"),
    "partial": (functools.partial(failing), "partial(failing)"),
}


@pytest.mark.parametrize("kind", FAILING)
@pytest.mark.parametrize("way", ROBUST)
def test_failure_is_logged_with_receiver_error_and_traceback(
    kind: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, name = FAILING[kind]
    signal = Signal(name="shop.paid")
    signal.connect(receiver)

    [(called, error)] = dispatch(way, signal, comment="a secret")

    assert called == receiver
    assert isinstance(error, ValueError)
    assert "broken" in "".join(traceback.format_exception(error))
    [record] = caplog.records
    assert (record.name, record.levelno) == (LOGGER, logging.ERROR)
    assert record.msg == f"Error calling %s in Signal.{way}() (%s)"
    assert record.args == (name, error)
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert "secret" not in record.getMessage()


@pytest.mark.parametrize("way", ROBUST)
def test_receiver_that_cannot_be_named_is_logged_all_the_same(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Evasive()
    signal = Signal()
    signal.connect(receiver)
    receiver.nasty = True

    [(_, error)] = dispatch(way, signal)

    assert isinstance(error, ValueError)
    [record] = caplog.records
    assert record.getMessage() == (
        f"Error calling {object.__repr__(receiver)} in Signal.{way}() (broken)"
    )


@pytest.mark.parametrize("way", ROBUST)
def test_others_run_after_a_failure(
    way: str, sends_before: int, caplog: pytest.LogCaptureFixture
) -> None:
    def fails_on_demand(fail: bool, **named: Any) -> str:
        if fail:
            raise ValueError("broken")
        return "fine"

    signal = Signal()
    signal.connect(fails_on_demand)
    signal.connect(fine)
    heat(signal, sends_before, fail=False)

    failed, other = responses(dispatch(way, signal, fail=True))

    assert isinstance(failed, ValueError)
    assert other == "fine"
    assert len(caplog.records) == 1
    assert responses(dispatch(way, signal, fail=False)) == ["fine", "fine"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("way", ROBUST)
def test_subclass_may_report_failures_itself(way: str, caplog: pytest.LogCaptureFixture) -> None:
    told: list[Any] = []

    class Reporting(Signal):
        def _log_robust_failure(self, receiver: Any, err: Exception) -> None:  # type: ignore[override]
            told.append((receiver, str(err)))

    signal = Reporting()
    signal.connect(failing)
    dispatch(way, signal)

    assert told == [(failing, "broken")]
    assert caplog.records == []


@pytest.mark.parametrize("way", ROBUST)
def test_what_is_no_exception_is_not_collected(way: str) -> None:
    class Stop(BaseException): ...

    def stops(**named: Any) -> None:
        raise Stop

    signal = Signal()
    signal.connect(stops)
    with pytest.raises(Stop):
        dispatch(way, signal)
