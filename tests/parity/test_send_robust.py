"""Robust sends: exceptions become responses and log records."""

from __future__ import annotations

import logging
import traceback
from typing import Any
from unittest import mock

from tests.parity.compare import parity
from tests.parity.dispatchers import Dispatcher
from tests.parity.observe import ANYONE, Calls, answers, described, logged, raised


@parity()
def test_exception_becomes_the_response_and_the_others_run(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    error = ValueError("no")
    kept = [
        calls.receiver("first"),
        calls.receiver("failing", raises=error),
        calls.receiver("last"),
        calls.async_receiver("async failing", raises=LookupError("gone")),
        calls.async_receiver("async"),
    ]
    for receiver in kept:
        signal.connect(receiver)
    with logged():
        responses = signal.send_robust(ANYONE, a=1)
        calls.clear()
        responses = signal.send_robust(ANYONE, a=1)
    return (
        [kept.index(receiver) for receiver, _ in responses],
        answers(responses),
        responses[1][1] is error,
        list(calls),
    )


@parity()
def test_failure_is_logged(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [
        calls.receiver("failing", raises=ValueError("no %s")),
        calls.receiver("fine"),
        calls.async_receiver("async failing", raises=LookupError("gone")),
    ]
    for receiver in kept:
        signal.connect(receiver)
    with logged() as records:
        signal.send_robust(ANYONE)
    return described(records), [type(record.args) for record in records]


@parity()
def test_log_record_carries_the_exception_itself(d: Dispatcher) -> Any:
    signal = d.make()
    error = ValueError("no")
    receiver = Calls().receiver("failing", raises=error)
    signal.connect(receiver)
    with logged() as records:
        d.send_robust(signal, ANYONE)
    return [
        (
            record.args[1] is error,
            record.exc_info[0],
            record.exc_info[1] is error,
            record.exc_info[2] is not None,
        )
        for record in records
        if record.exc_info and record.args
    ]


@parity()
def test_failing_method_is_logged_by_its_qualified_name(d: Dispatcher) -> Any:
    class Listener:
        def hear(self, **named: Any) -> None:
            raise ValueError("deaf")

        @classmethod
        def hear_class(cls, **named: Any) -> None:
            raise ValueError("deaf class")

    signal = d.make()
    listener = Listener()
    for receiver in (listener.hear, Listener.hear_class):
        signal.connect(receiver)
    with logged() as records:
        responses = d.send_robust(signal, ANYONE)
    return described(records), answers(responses)


@parity()
def test_response_carries_the_traceback_to_the_failing_line(d: Dispatcher) -> Any:
    def failing(**named: Any) -> None:
        raise ValueError("here")

    signal = d.make()
    signal.connect(failing)
    with logged():
        [(_, error)] = d.send_robust(signal, ANYONE)
    frames = traceback.extract_tb(error.__traceback__)
    return frames[-1].name, frames[-1].line, error.__context__, error.__cause__


@parity()
def test_base_exceptions_propagate(d: Dispatcher) -> Any:
    outcome = []
    for error in (KeyboardInterrupt("c"), SystemExit(3), GeneratorExit("x")):
        calls = Calls()
        signal = d.make()
        kept = [calls.receiver("first", raises=error), calls.receiver("second")]
        for receiver in kept:
            signal.connect(receiver)
        with logged() as records:
            for _ in range(d.repeat):
                outcome.append(
                    (raised(lambda signal=signal: signal.send_robust(ANYONE)), described(records))
                )
        outcome.append(calls.names())
    return outcome


@parity()
def test_stop_iteration_is_collected(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("failing", raises=StopIteration("stop"))
    signal.connect(receiver)
    with logged() as records:
        return answers(d.send_robust(signal, ANYONE)), len(records)


@parity()
def test_payload_named_signal_is_each_receivers_failure(d: Dispatcher) -> Any:
    signal = d.make()
    calls = Calls()
    receiver = calls.receiver("r")
    signal.connect(receiver)
    with logged() as records:
        [(_, error)] = d.send_robust(signal, ANYONE, **{"signal": 1})
    return isinstance(error, TypeError), calls, len(records)


@parity()
def test_returned_exception_is_a_response_like_any_other(d: Dispatcher) -> Any:
    error = ValueError("returned, not raised")

    def receive(**named: Any) -> Any:
        return error

    signal = d.make()
    signal.connect(receive)
    with logged() as records:
        [(_, response)] = d.send_robust(signal, ANYONE)
    return response is error, records, d.send(signal, ANYONE)[0][1] is error


@parity()
def test_log_robust_failure_can_be_overridden(d: Dispatcher) -> Any:
    failures: list[Any] = []

    class Quiet(d.Signal):  # type: ignore[misc, name-defined]
        def _log_robust_failure(self, receiver: Any, err: Exception) -> None:
            failures.append((receiver.__name__, repr(err), self is signal))

    signal = Quiet(use_caching=d.caching)
    calls = Calls()
    kept = [
        calls.receiver("failing", raises=ValueError("no")),
        calls.async_receiver("async failing", raises=LookupError("gone")),
    ]
    for receiver in kept:
        signal.connect(receiver)
    with logged() as records:
        responses = signal.send_robust(ANYONE)
    return failures, records, answers(responses)


@parity()
def test_log_robust_failure_can_be_patched_on_class_and_instance(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("failing", raises=ValueError("no"))
    signal.connect(receiver)
    outcome = []
    for target in (d.Signal, signal):
        with logged() as records, mock.patch.object(target, "_log_robust_failure") as log:
            d.send_robust(signal, ANYONE)
        outcome.append((log.call_count, len(log.call_args.args), records))
    with logged() as records:
        d.send_robust(signal, ANYONE)
    return outcome, len(records)


@parity()
def test_logging_that_fails_stops_the_send(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    kept = [calls.receiver("failing", raises=ValueError("no")), calls.receiver("second")]
    for receiver in kept:
        signal.connect(receiver)

    def explode(*args: Any) -> None:
        raise OSError("disk full")

    signal._log_robust_failure = explode
    return raised(lambda: signal.send_robust(ANYONE)), calls.names()


@parity()
def test_disabled_logger_collects_still(d: Dispatcher) -> Any:
    signal = d.make()
    receiver = Calls().receiver("failing", raises=ValueError("no"))
    signal.connect(receiver)
    with logged() as records:
        logging.disable(logging.ERROR)
        try:
            responses = d.send_robust(signal, ANYONE)
        finally:
            logging.disable(logging.NOTSET)
    return answers(responses), records
