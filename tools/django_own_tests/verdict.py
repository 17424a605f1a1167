"""A run with adoption held against a run without.

No list of known failures is kept by hand: as root, or without some database, a few of Django's
tests fail with any dispatcher, and the run without adoption says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_own_tests.run import Run


@dataclass(frozen=True, slots=True)
class Verdict:
    """What adoption changed. Nothing is wrong if ``reasons`` is empty."""

    reasons: tuple[str, ...]
    new_failures: tuple[str, ...]
    not_run: tuple[str, ...]
    cured: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Whether adoption happened, and broke nothing."""
        return not self.reasons


def compare(alone: Run, adopted: Run) -> Verdict:
    """Return what differs between a run without adoption and one with it."""
    new_failures = tuple(sorted(adopted.bad - alone.bad))
    not_run = tuple(sorted(executed(alone) - executed(adopted)))
    cured = tuple(sorted((alone.bad - adopted.bad) & executed(adopted)))
    return Verdict(
        reasons=(
            *reasons_against_the_runs(alone, adopted),
            *reasons_against_adoption(adopted),
            *reasons_against_the_outcomes(alone, adopted, new_failures, not_run),
        ),
        new_failures=new_failures,
        not_run=not_run,
        cured=cured,
    )


def executed(run: Run) -> frozenset[str]:
    """Return the tests that ran: not those that were skipped."""
    return frozenset(run.outcomes) - run.skipped


def reasons_against_the_runs(alone: Run, adopted: Run) -> list[str]:
    """Say which run shows nothing, because it broke off or ran no test."""
    reasons = []
    for run, name in ((alone, "without"), (adopted, "with")):
        if not run.finished:
            reasons.append(f"The run {name} adoption broke off before its end.")
        elif not executed(run):
            reasons.append(f"The run {name} adoption ran no test.")
    if alone.ours_at_start or alone.our_sends:
        reasons.append("The run without adoption had Signalpost's dispatcher in place.")
    return reasons


def reasons_against_adoption(adopted: Run) -> list[str]:
    """Say why the run with adoption can't have shown our dispatcher at work."""
    reasons = []
    if not adopted.ours_at_start:
        reasons.append("django.dispatch.Signal was not Signalpost's when the tests began.")
    if not adopted.ours_at_end:
        reasons.append("django.dispatch.Signal was not Signalpost's when the tests had ended.")
    if not adopted.our_sends:
        reasons.append("No send went through Signalpost's dispatcher.")
    if adopted.django_sends:
        reasons.append(f"{adopted.django_sends:,} sends went through Django's own dispatcher.")
    if adopted.connected_before:
        reasons.append(f"{adopted.connected_before} receivers were connected before adoption.")
    return reasons


def reasons_against_the_outcomes(
    alone: Run, adopted: Run, new_failures: tuple[str, ...], not_run: tuple[str, ...]
) -> list[str]:
    """Say what adoption broke."""
    reasons = []
    if new_failures:
        reasons.append(f"{len(new_failures)} tests fail with adoption only.")
    if not_run:
        reasons.append(f"{len(not_run)} tests ran without adoption only.")
    if adopted.ran < alone.ran:
        reasons.append(f"{adopted.ran:,} tests were started with adoption, {alone.ran:,} without.")
    return reasons
