"""A test runner that writes down what became of each test, in whichever process it ran.

Reading outcomes from the printed report would miss the tests that passed, and Django's parallel
runner can't carry a failure over to its parent unless a further package is installed: a single
failing test would end such a run. So each process appends its outcomes to one file as they happen.
"""

from __future__ import annotations

import json
import os
import unittest
from typing import TYPE_CHECKING, Any

from django.test.runner import DiscoverRunner, ParallelTestSuite, RemoteTestResult, RemoteTestRunner

if TYPE_CHECKING:
    from pathlib import Path

# Of the file of outcomes. Open from before the first fork until the process ends.
_descriptor: list[int] = []


def record_to(path: Path) -> None:
    """Write outcomes to ``path`` from now on. Workers that are forked later do so too."""
    _descriptor[:] = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)]


def append_record(**record: object) -> None:
    """Append one line to the file of outcomes. It is one write: lines of processes don't mix."""
    os.write(_descriptor[0], json.dumps(record).encode() + b"\n")


class RecordsOutcomes(unittest.TestResult):
    """Mixed into a result class, writes down each outcome before the class handles it."""

    def addSuccess(self, test: Any) -> None:
        append_record(test=test.id(), outcome="passed")
        super().addSuccess(test)

    def addSkip(self, test: Any, reason: str) -> None:
        append_record(test=test.id(), outcome="skipped", detail=reason)
        super().addSkip(test, reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        append_record(test=test.id(), outcome="expected failure")
        super().addExpectedFailure(test, err)

    def addUnexpectedSuccess(self, test: Any) -> None:
        append_record(test=test.id(), outcome="unexpected success")
        super().addUnexpectedSuccess(test)

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, self.record_failure(test, "failed", err))

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, self.record_failure(test, "error", err))

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            outcome = "failed" if issubclass(err[0], test.failureException) else "error"
            err = self.record_failure(test, outcome, err, where=subtest.id())
        super().addSubTest(test, subtest, err)

    def record_failure(self, test: Any, outcome: str, err: Any, *, where: str = "") -> Any:
        """Write down what was raised and return what the class is to handle in its place."""
        # Of the base class: in workers Django replaces this method by one that says nothing.
        as_printed: Any = getattr(unittest.TestResult, "_exc_info_to_string")  # noqa: B009 -- typeshed leaves it out
        text = as_printed(self, err, test)
        append_record(test=test.id(), outcome=outcome, detail=f"{where}\n{text}".strip())
        return err


if TYPE_CHECKING:
    TextResult = unittest.TextTestResult[Any]
else:
    # Generic for type checkers only.
    TextResult = unittest.TextTestResult


class RecordingTextResult(RecordsOutcomes, TextResult):
    """For tests that run in the process that prints."""


class RecordingRemoteResult(RecordsOutcomes, RemoteTestResult):
    """For tests that run in a worker: tracebacks can't be pickled, so the parent is sent text."""

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is None:
            return
        # Sent as the test's own failure: a sub-test holds its parameters, which may be anything.
        failed = issubclass(err[0], test.failureException)
        err = self.record_failure(test, "failed" if failed else "error", err, where=subtest.id())
        self.events.append(("addFailure" if failed else "addError", self.test_index, err))

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        super().addExpectedFailure(test, as_text(err))

    def record_failure(self, test: Any, outcome: str, err: Any, *, where: str = "") -> Any:
        super().record_failure(test, outcome, err, where=where)
        return as_text(err)


def as_text(err: Any) -> tuple[type[Exception], Exception, None]:
    """Return what was raised in a form that can be sent to another process."""
    return Exception, Exception(f"{err[0].__name__}: {err[1]}"), None


class RecordingRemoteRunner(RemoteTestRunner):
    """What runs tests in a worker."""

    resultclass = RecordingRemoteResult


class RecordingParallelSuite(ParallelTestSuite):
    """What hands tests out to workers."""

    runner_class = RecordingRemoteRunner


class RecordingRunner(DiscoverRunner):
    """Django's own runner, which also writes down how many tests ran and that it came to its end."""

    parallel_test_suite = RecordingParallelSuite

    def get_resultclass(self) -> type[TextResult]:
        return TextResult if self.parallel > 1 else RecordingTextResult

    def suite_result(self, suite: Any, result: Any, **kwargs: Any) -> int:
        append_record(finished=True, ran=result.testsRun)
        return super().suite_result(suite, result, **kwargs)
