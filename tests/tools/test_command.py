"""The command as people and CI call it, on a small suite in the place of Django's."""

from __future__ import annotations

from pathlib import Path

import django_suite
import pytest


@pytest.fixture(autouse=True)
def small_suite(suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(django_suite, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(django_suite.archive, "folder_of_tests", lambda target, cache: suite)
    return suite / "small" / "tests.py"


def test_a_suite_that_adoption_leaves_alone_passes(
    small_suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = small_suite.read_text(encoding="utf-8")
    small_suite.write_text(tests.partition("class NoticesAdoption")[0], encoding="utf-8")

    status = django_suite.main(["small", "--processes=1"])

    printed = capsys.readouterr().out
    assert status == 0, printed
    assert "sends through Signalpost's                     0             2" in printed
    assert "Fails with and without: small.tests.Outcomes.test_fails" in printed
    assert printed.splitlines()[-1] == (
        "PASSED: 2 sends went through Signalpost's dispatcher, and no test failed that Django "
        "alone doesn't fail."
    )


def test_a_suite_in_which_adoption_breaks_a_test_fails_and_names_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = django_suite.main(["small", "--processes=1"])

    printed = capsys.readouterr().out
    assert status == 1
    assert "FAILS WITH ADOPTION ONLY: small.tests.NoticesAdoption.test_is_djangos" in printed
    assert "AssertionError: False is not true" in printed
    assert printed.endswith("FAILED\n- 1 tests fail with adoption only.\n")


def test_the_run_without_adoption_is_remembered_unless_a_fresh_one_is_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    started = []
    for arguments in (["small"], ["small"], ["small", "--fresh"]):
        django_suite.main([*arguments, "--processes=1"])
        started.append(capsys.readouterr().out.count("Without adoption: running"))

    assert started == [1, 0, 1]


def test_a_label_that_this_django_does_not_have_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert django_suite.main(["smal"]) == 2
    assert "This Django has no tests named smal." in capsys.readouterr().err


def test_labels_are_refused_where_everything_is_to_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        django_suite.main(["--full", "small"])

    assert refused.value.code == 2
    assert "--full runs all of Django's tests: give it no labels" in capsys.readouterr().err
