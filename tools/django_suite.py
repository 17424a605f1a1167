"""Run Django's own tests, unchanged, with Signalpost's dispatcher adopted.

    python tools/django_suite.py                      the tests that are near to signals
    python tools/django_suite.py --full               all of them
    python tools/django_suite.py signals tasks        these
    python tools/django_suite.py --python PATH ...    with the Django of another interpreter

The same tests run once without adoption, and the two runs are compared: exit status 0 only if the
dispatcher was adopted before anything connected, sends went through it, and no test fails or is
left out that Django alone doesn't fail or leave out. 2 means that the tests could not be run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from django_own_tests import archive, baseline
from django_own_tests.refusal import Refusal
from django_own_tests.run import Order, Run, run_tests
from django_own_tests.summary import report
from django_own_tests.target import Target, look_at
from django_own_tests.verdict import compare

CHECKOUT = Path(__file__).resolve().parent.parent
CACHE = CHECKOUT / ".cache" / "django-suite"

NEAR_TO_SIGNALS = (
    "dispatch",
    "signals",
    "m2m_signals",
    "migrate_signals",
    "auth_tests",
    "admin_docs",
    "test_client",
    "transaction_hooks",
    "delete",
    "model_fields",
    "tasks",
    # Its system checks tell lazy connections from other lazy operations.
    "invalid_models_tests.test_models",
)


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line says and return the exit status."""
    options = parse(arguments)
    try:
        return suite(options)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 2


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", nargs="*", help="what to run; by default what is near to signals")
    parser.add_argument("--full", action="store_true", help="run all of Django's tests")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs them")
    parser.add_argument("--processes", type=int, default=2, help="how many run tests at a time")
    parser.add_argument("--minutes", type=float, default=60, help="give up on a run after these")
    parser.add_argument(
        "--fresh", action="store_true", help="run without adoption again, even if remembered"
    )
    options = parser.parse_args(arguments)
    if options.full and options.labels:
        parser.error("--full runs all of Django's tests: give it no labels")
    return options


def suite(options: argparse.Namespace) -> int:
    """Run the tests without adoption and with it, print what differs and return the status."""
    target = look_at(options.python)
    print(f"Django {target.django} on Python {target.python}", flush=True)
    tests = archive.folder_of_tests(target, CACHE)
    labels = () if options.full else labels_for(tests, tuple(options.labels))
    order = Order(tests, labels, processes=options.processes, minutes=options.minutes)
    alone = run_alone(target, order, fresh=options.fresh)
    adopted = run(target, order, adopt=True)
    found = compare(alone, adopted)
    print()
    print(report(target, labels, (alone, adopted), found))
    return 0 if found.passes else 1


def labels_for(tests: Path, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels to run: those asked for, else what this Django has of the usual ones."""
    if not asked:
        return archive.existing_labels(tests, NEAR_TO_SIGNALS)
    known = archive.existing_labels(tests, asked)
    if unknown := [label for label in asked if label not in known]:
        message = (
            f"This Django has no tests named {', '.join(unknown)}. Expected names of folders in "
            f"{tests}. Correct the labels."
        )
        raise Refusal(message)
    return asked


def run_alone(target: Target, order: Order, *, fresh: bool) -> Run:
    """Return the run without adoption, from memory if it's there."""
    remembered = CACHE / "alone" / f"{baseline.name_of(target, order)}.json"
    known = None if fresh else baseline.recall(remembered)
    if known is not None:
        print("Without adoption: remembered from an earlier run", flush=True)
        return known
    alone = run(target, order, adopt=False)
    baseline.remember(remembered, alone)
    return alone


def run(target: Target, order: Order, *, adopt: bool) -> Run:
    """Run the tests, saying so first."""
    how = "adopted" if adopt else "alone"
    record = CACHE / "runs" / f"{baseline.name_of(target, order)}-{how}"
    print(
        f"{'With' if adopt else 'Without'} adoption: running, "
        f"output in {os.path.relpath(record / 'output.txt')}",
        flush=True,
    )
    return run_tests(target, order, adopt=adopt, record=record, source=CHECKOUT / "src")


def end_with_workers(*_: object) -> None:
    """Turn a request to terminate into an exception, so that what was started is ended too."""
    sys.exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end_with_workers)
    sys.exit(main())
