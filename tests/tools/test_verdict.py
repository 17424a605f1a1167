"""What makes a run of Django's tests with adoption pass or fail."""

from __future__ import annotations

import dataclasses

import pytest
from django_own_tests.run import Run
from django_own_tests.summary import report
from django_own_tests.target import Target
from django_own_tests.verdict import compare

OUTCOMES = {"a.sends": "passed", "a.needs_oracle": "skipped", "b.as_root": "failed"}
ALONE = Run(finished=True, ran=3, outcomes=OUTCOMES, django_sends=7)
ADOPTED = Run(
    finished=True, ran=3, outcomes=OUTCOMES, our_sends=7, ours_at_start=True, ours_at_end=True
)


def adopted(**changes: object) -> Run:
    return dataclasses.replace(ADOPTED, **changes)  # type: ignore[arg-type]


def alone(**changes: object) -> Run:
    return dataclasses.replace(ALONE, **changes)  # type: ignore[arg-type]


def test_the_same_outcomes_pass_even_if_some_tests_fail_in_both_runs() -> None:
    verdict = compare(ALONE, ADOPTED)

    assert verdict.passes
    assert verdict.reasons == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"our_sends": 0}, "No send went through Signalpost's dispatcher."),
        (
            {"ours_at_start": False},
            "django.dispatch.Signal was not Signalpost's when the tests began.",
        ),
        (
            {"ours_at_end": False},
            "django.dispatch.Signal was not Signalpost's when the tests had ended.",
        ),
        ({"django_sends": 1200}, "1,200 sends went through Django's own dispatcher."),
        ({"connected_before": 3}, "3 receivers were connected before adoption."),
        ({"finished": False}, "The run with adoption broke off before its end."),
        ({"ran": 2}, "2 tests were started with adoption, 3 without."),
    ],
)
def test_a_run_that_shows_nothing_about_our_dispatcher_fails(
    changes: dict[str, object], reason: str
) -> None:
    assert compare(ALONE, adopted(**changes)).reasons == (reason,)


@pytest.mark.parametrize("outcome", ["failed", "error", "unexpected success"])
def test_a_test_that_fails_with_adoption_only_is_named(outcome: str) -> None:
    run = adopted(outcomes={**OUTCOMES, "a.sends": outcome})
    verdict = compare(ALONE, run)

    assert verdict.new_failures == ("a.sends",)
    assert verdict.reasons == ("1 tests fail with adoption only.",)


def test_a_failure_outside_of_any_test_counts_as_new() -> None:
    verdict = compare(ALONE, adopted(outcomes={**OUTCOMES, "setUpClass (a.A)": "error"}))

    assert verdict.new_failures == ("setUpClass (a.A)",)


@pytest.mark.parametrize("outcomes", [{"b.as_root": "failed"}, {**OUTCOMES, "a.sends": "skipped"}])
def test_a_test_that_did_not_run_with_adoption_is_named(outcomes: dict[str, str]) -> None:
    verdict = compare(ALONE, adopted(outcomes=outcomes))

    assert verdict.not_run == ("a.sends",)
    assert verdict.reasons == ("1 tests ran without adoption only.",)


def test_a_test_that_fails_without_adoption_only_is_mentioned_and_passes() -> None:
    verdict = compare(ALONE, adopted(outcomes={**OUTCOMES, "b.as_root": "passed"}))

    assert verdict.cured == ("b.as_root",)
    assert verdict.passes


def test_a_comparison_with_a_run_that_broke_off_fails() -> None:
    verdict = compare(alone(finished=False, outcomes={}, ran=0), ADOPTED)

    assert "The run without adoption broke off before its end." in verdict.reasons


def test_a_run_of_no_test_fails() -> None:
    verdict = compare(alone(outcomes={}, ran=0), adopted(outcomes={}, ran=0))

    assert verdict.reasons == (
        "The run without adoption ran no test.",
        "The run with adoption ran no test.",
    )


def test_a_comparison_with_a_run_that_was_adopted_too_fails() -> None:
    verdict = compare(ADOPTED, ADOPTED)

    assert verdict.reasons == ("The run without adoption had Signalpost's dispatcher in place.",)


def test_the_report_shows_the_traceback_and_what_the_last_run_printed(tmp_path: object) -> None:
    run = adopted(
        finished=False,
        outcomes={**OUTCOMES, "a.sends": "error"},
        details={"a.sends": "KeyError: 'sender'"},
        last_output="Segmentation fault",
    )
    target = Target("python", "3.13.0", "6.1.3", tmp_path, ())  # type: ignore[arg-type]

    text = report(target, ("a", "b"), (ALONE, run), compare(ALONE, run))

    assert text.splitlines()[0] == "Django 6.1.3, Python 3.13.0: a b"
    assert "FAILS WITH ADOPTION ONLY: a.sends (error)\nKeyError: 'sender'" in text
    assert "Segmentation fault" in text
    assert "Fails with and without: b.as_root" in text
    assert text.splitlines()[-3:] == [
        "FAILED",
        "- The run with adoption broke off before its end.",
        "- 1 tests fail with adoption only.",
    ]
