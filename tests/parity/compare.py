"""Decorators that make a test of a scenario: a function of a dispatcher that returns what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.parity.dispatchers import DJANGO, EVERY, Dispatcher

Scenario = Callable[[Dispatcher], Any]

# Once, and more often than ours needs to switch to generated code.
REPEATS = (1, 40)


def _test(scenario: Scenario, subjects: Iterable[Dispatcher], check: Any) -> Any:
    @pytest.mark.parametrize("subject", list(subjects), ids=str)
    def test(subject: Dispatcher) -> None:
        for repeat in REPEATS:
            check(subject.repeating(repeat))

    test.__name__ = scenario.__name__
    test.__doc__ = scenario.__doc__
    test.__module__ = scenario.__module__
    return test


def parity(subjects: Iterable[Dispatcher] = EVERY) -> Callable[[Scenario], Any]:
    """Run the scenario on the installed Django's dispatcher and on ours: same outcome."""

    def decorate(scenario: Scenario) -> Any:
        def check(subject: Dispatcher) -> None:
            expected = scenario(subject.model())
            assert expected is not None, "the scenario returns no outcome"
            assert scenario(subject) == expected

        return _test(scenario, subjects, check)

    return decorate


def differs(
    *, django: Any, ours: Any, subjects: Iterable[Dispatcher] = EVERY
) -> Callable[[Scenario], Any]:
    """Run the scenario on both, where we differ on purpose: each has the outcome given for it.

    `django` is an outcome, or a dict of outcomes by Django version.
    """

    def decorate(scenario: Scenario) -> Any:
        theirs = django[DJANGO] if isinstance(django, dict) and DJANGO in django else django

        def check(subject: Dispatcher) -> None:
            assert scenario(subject.model()) == theirs
            assert scenario(subject) == ours

        return _test(scenario, subjects, check)

    return decorate


def since(
    version: tuple[int, int], *, before: Any, after: Any, subjects: Iterable[Dispatcher] = EVERY
) -> Callable[[Scenario], Any]:
    """Run the scenario on both: ours always behaves as Django does since `version`."""
    return differs(
        django={DJANGO: after if version <= DJANGO else before}, ours=after, subjects=subjects
    )
