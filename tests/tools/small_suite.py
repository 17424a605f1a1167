"""A small suite, shaped like Django's, with a test of each outcome."""

from __future__ import annotations

from pathlib import Path

RUNTESTS = """
import sys

import django
from django.conf import settings
from django.test.utils import get_runner

settings.configure(DATABASES={})
django.setup()
processes = int(sys.argv[2].removeprefix("--parallel="))
runner = get_runner(settings)(interactive=False, parallel=processes)
sys.exit(bool(runner.run_tests(sys.argv[3:])))
"""

TESTS = """
import unittest

from django.dispatch import Signal
from django.test import SimpleTestCase

signal = Signal()


class Unpicklable(Exception):
    def __init__(self, reason, lock):
        super().__init__(reason)
        self.lock = lock


class SendsTwice(SimpleTestCase):
    def test_send(self):
        self.assertEqual(signal.send(sender=None), [])

    def test_send_robust(self):
        self.assertEqual(signal.send_robust(sender=None), [])


class Outcomes(SimpleTestCase):
    def test_fails(self):
        self.fail("as root")

    def test_error(self):
        raise Unpicklable("cannot be sent", lambda: None)

    def test_sub_tests(self):
        for number in range(3):
            with self.subTest(number=number, what=lambda: None):
                self.assertNotEqual(number, 1)

    @unittest.skip("no oracle")
    def test_skipped(self):
        pass

    @unittest.expectedFailure
    def test_expected_failure(self):
        self.fail("known")

    @unittest.expectedFailure
    def test_unexpected_success(self):
        pass


class BrokenClass(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no tests here")

    def test_never(self):
        pass


class NoticesAdoption(SimpleTestCase):
    def test_is_djangos(self):
        self.assertTrue(Signal.send.__code__.co_filename.endswith("dispatcher.py"))
"""

# Without adoption.
OUTCOMES = {
    "small.tests.SendsTwice.test_send": "passed",
    "small.tests.SendsTwice.test_send_robust": "passed",
    "small.tests.Outcomes.test_fails": "failed",
    "small.tests.Outcomes.test_error": "error",
    "small.tests.Outcomes.test_sub_tests": "failed",
    "small.tests.Outcomes.test_skipped": "skipped",
    "small.tests.Outcomes.test_expected_failure": "expected failure",
    "small.tests.Outcomes.test_unexpected_success": "unexpected success",
    "setUpClass (small.tests.BrokenClass)": "error",
    "small.tests.NoticesAdoption.test_is_djangos": "passed",
}


def write_suite(folder: Path) -> Path:
    """Write the suite into ``folder`` and return the folder of its tests."""
    tests = folder / "tests"
    (tests / "small").mkdir(parents=True)
    (tests / "runtests.py").write_text(RUNTESTS, encoding="utf-8")
    (tests / "small" / "__init__.py").touch()
    (tests / "small" / "tests.py").write_text(TESTS, encoding="utf-8")
    return tests
