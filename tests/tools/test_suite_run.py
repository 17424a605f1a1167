"""A run of a small suite, shaped like Django's, in processes of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django_own_tests.refusal import Refusal
from django_own_tests.run import Order, Run, run_tests
from django_own_tests.target import Target, look_at
from django_own_tests.verdict import compare

from tests.tools.small_suite import OUTCOMES, TESTS


@pytest.fixture(scope="module")
def target() -> Target:
    return look_at(sys.executable)


def run(target: Target, suite: Path, *, adopt: bool, processes: int = 1) -> Run:
    return run_tests(
        target,
        Order(suite, ("small",), processes=processes, minutes=2),
        adopt=adopt,
        record=suite.parent / "record",
        source=Path(__file__).resolve().parents[2] / "src",
    )


@pytest.mark.parametrize("processes", [1, 2])
def test_every_outcome_is_recorded_in_one_process_and_in_two(
    target: Target, suite: Path, processes: int
) -> None:
    alone = run(target, suite, adopt=False, processes=processes)

    assert alone.finished
    assert alone.outcomes == OUTCOMES
    assert "as root" in alone.details["small.tests.Outcomes.test_fails"]
    assert "Unpicklable: cannot be sent" in alone.details["small.tests.Outcomes.test_error"]
    assert "(number=1," in alone.details["small.tests.Outcomes.test_sub_tests"]
    assert alone.django_sends == 2
    assert alone.our_sends == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_adoption_is_found_out_and_a_failure_that_it_brings_too(
    target: Target, suite: Path, processes: int
) -> None:
    alone = run(target, suite, adopt=False, processes=processes)
    adopted = run(target, suite, adopt=True, processes=processes)

    verdict = compare(alone, adopted)

    assert (adopted.our_sends, adopted.django_sends) == (2, 0)
    assert verdict.new_failures == ("small.tests.NoticesAdoption.test_is_djangos",)
    assert verdict.reasons == ("1 tests fail with adoption only.",)


def test_a_run_in_which_adoption_did_not_happen_cannot_pass(target: Target, suite: Path) -> None:
    alone = run(target, suite, adopt=False)

    verdict = compare(alone, alone)

    assert verdict.reasons == (
        "django.dispatch.Signal was not Signalpost's when the tests began.",
        "django.dispatch.Signal was not Signalpost's when the tests had ended.",
        "No send went through Signalpost's dispatcher.",
        "2 sends went through Django's own dispatcher.",
    )


def test_a_run_that_dies_is_not_taken_for_one_that_ended(target: Target, suite: Path) -> None:
    dies = TESTS.replace('self.fail("as root")', "import os; os._exit(0)")
    (suite / "small" / "tests.py").write_text(dies, encoding="utf-8")

    adopted = run(target, suite, adopt=True)

    assert not adopted.finished
    assert "Found 10 test(s)." in adopted.last_output


def test_a_run_that_hangs_is_ended(target: Target, suite: Path) -> None:
    hangs = TESTS.replace('self.fail("as root")', "import time; time.sleep(600)")
    (suite / "small" / "tests.py").write_text(hangs, encoding="utf-8")

    with pytest.raises(Refusal, match=r"did not finish within 0\.05 minutes \(without adoption"):
        run_tests(
            target,
            Order(suite, ("small",), minutes=0.05),
            adopt=False,
            record=suite.parent / "record",
            source=suite,
        )


def test_an_interpreter_that_is_not_there_is_refused_with_its_path(tmp_path: Path) -> None:
    missing = str(tmp_path / "python")

    with pytest.raises(Refusal) as refused:
        look_at(missing)

    assert str(refused.value) == (
        f"Cannot run {missing!r} (--python): No such file or directory. Expected the path of a "
        f"Python interpreter that has Django and signalpost installed. Give another path."
    )
