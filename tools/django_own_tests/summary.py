"""The verdict as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_own_tests.verdict import Verdict, executed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_own_tests.run import Run
    from django_own_tests.target import Target

SHOWN = 20


def report(target: Target, labels: tuple[str, ...], runs: tuple[Run, Run], found: Verdict) -> str:
    """Return what is printed: both runs side by side, then what adoption broke, in full."""
    return "\n".join(
        [
            f"Django {target.django}, Python {target.python}: {' '.join(labels) or 'all tests'}",
            "",
            *table(*runs),
            "",
            *broken_off(*runs),
            *findings(runs[1], found),
            conclusion(runs[1], found),
        ]
    )


def table(alone: Run, adopted: Run) -> Iterator[str]:
    """Yield the figures of both runs in columns."""
    yield f"{'':34}{'Django alone':>14}{'adopted':>14}"
    rows = {
        "tests run": [len(executed(run)) for run in (alone, adopted)],
        "skipped": [len(run.skipped) for run in (alone, adopted)],
        "failed": [len(run.bad) for run in (alone, adopted)],
        "sends through Django's dispatcher": [run.django_sends for run in (alone, adopted)],
        "sends through Signalpost's": [run.our_sends for run in (alone, adopted)],
        "seconds": [round(run.seconds) for run in (alone, adopted)],
    }
    for name, (left, right) in rows.items():
        yield f"{name:34}{left:>14,}{right:>14,}"


def broken_off(*runs: Run) -> Iterator[str]:
    """Yield the last that was printed by runs that did not come to their end."""
    for run in runs:
        if not run.finished:
            yield run.last_output
            yield ""


def findings(adopted: Run, found: Verdict) -> Iterator[str]:
    """Yield what was found out about single tests."""
    for test in found.new_failures[:SHOWN]:
        yield f"FAILS WITH ADOPTION ONLY: {test} ({adopted.outcomes[test]})"
        yield adopted.details.get(test, "").strip()
        yield ""
    yield from listed("Fails with adoption only", found.new_failures[SHOWN:])
    yield from listed("Ran without adoption only", found.not_run)
    yield from listed("Fails without adoption only", found.cured)
    yield from listed("Fails with and without", tuple(sorted(adopted.bad - {*found.new_failures})))


def listed(title: str, tests: tuple[str, ...]) -> Iterator[str]:
    """Yield one line for each test, but no more than fit on a screen."""
    for test in tests[:SHOWN]:
        yield f"{title}: {test}"
    if len(tests) > SHOWN:
        yield f"{title}: {len(tests) - SHOWN} more"


def conclusion(adopted: Run, found: Verdict) -> str:
    """Return the last line or lines."""
    if not found.passes:
        return "FAILED\n" + "\n".join(f"- {reason}" for reason in found.reasons)
    return (
        f"PASSED: {adopted.our_sends:,} sends went through Signalpost's dispatcher, and no test "
        f"failed that Django alone doesn't fail."
    )
