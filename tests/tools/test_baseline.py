"""The run without adoption is remembered for exactly the circumstances that it was made in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from django_own_tests.baseline import name_of, recall, remember
from django_own_tests.run import Order, Run
from django_own_tests.target import Target

TARGET = Target("python", "3.13.0", "6.1.3", Path("django"), ("Django==6.1.3", "signalpost==1"))
ORDER = Order(Path("tests"), ("signals",))
RUN = Run(finished=True, ran=2, outcomes={"a": "passed", "b": "failed"}, django_sends=9)


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "alone" / "run.json"
    remember(path, RUN)

    assert recall(path) == RUN


def test_a_run_that_broke_off_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "alone" / "run.json"
    remember(path, dataclasses.replace(RUN, finished=False))

    assert recall(path) is None


@pytest.mark.parametrize(
    ("target", "order"),
    [
        ({"django": "6.1.4"}, {}),
        ({"python": "3.12.1"}, {}),
        ({"installed": ("Django==6.1.3", "pillow==12.0")}, {}),
        ({}, {"labels": ("signals", "tasks")}),
        ({}, {"processes": 1}),
    ],
)
def test_other_circumstances_are_another_run(
    target: dict[str, object], order: dict[str, object]
) -> None:
    other = name_of(
        dataclasses.replace(TARGET, **target),  # type: ignore[arg-type]
        dataclasses.replace(ORDER, **order),  # type: ignore[arg-type]
    )

    assert other != name_of(TARGET, ORDER)


def test_another_version_of_signalpost_is_the_same_run() -> None:
    target = dataclasses.replace(TARGET, installed=("Django==6.1.3", "signalpost==2"))

    assert name_of(target, ORDER) == name_of(TARGET, ORDER)
