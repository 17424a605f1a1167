"""One run of Django's tests in a process of its own, and what it left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from django_own_tests.refusal import Refusal

if TYPE_CHECKING:
    from django_own_tests.target import Target

START = Path(__file__).resolve().parent / "inside" / "start.py"
LAST_LINES = 25
BAD = frozenset({"failed", "error", "unexpected success"})
# Worst first: a test may be reported more than once (each failing sub-test, then the end).
WORST_FIRST = (
    "error",
    "failed",
    "unexpected success",
    "expected failure",
    "passed",
    "skipped",
)


@dataclass(frozen=True, slots=True)
class Order:
    """Which of Django's tests to run, and how. ``labels`` empty means all of them."""

    tests: Path
    labels: tuple[str, ...] = ()
    processes: int = 2
    minutes: float = 60


@dataclass(frozen=True, slots=True)
class Run:
    """What became of each test of a run, and whose code the sends of the run went through."""

    finished: bool
    ran: int
    outcomes: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    django_sends: int = 0
    our_sends: int = 0
    ours_at_start: bool = False
    ours_at_end: bool = False
    connected_before: int = 0
    seconds: float = 0.0
    last_output: str = ""

    @property
    def bad(self) -> frozenset[str]:
        """The tests that failed, whatever the way."""
        return frozenset(test for test, outcome in self.outcomes.items() if outcome in BAD)

    @property
    def skipped(self) -> frozenset[str]:
        """The tests that were skipped."""
        return frozenset(test for test, outcome in self.outcomes.items() if outcome == "skipped")


def run_tests(target: Target, order: Order, *, adopt: bool, record: Path, source: Path) -> Run:
    """Run Django's tests as ``order`` says and return what became of them.

    ``record`` is a folder that is emptied first; what the tests print goes to output.txt in it.
    ``source`` is where signalpost is imported from if the target doesn't have it installed.
    """
    shutil.rmtree(record, ignore_errors=True)
    record.mkdir(parents=True)
    command = [target.interpreter, str(START), "--tests", str(order.tests)]
    command += ["--record", str(record), "--source", str(source)]
    command += [f"--processes={order.processes}", *(["--adopt"] if adopt else []), *order.labels]
    started = monotonic()
    with (record / "output.txt").open("wb") as output:
        # In a session of its own, so that its workers can be ended with it.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(),
            start_new_session=True,
        )
        try:
            process.wait(timeout=order.minutes * 60)
        except subprocess.TimeoutExpired as error:
            message = (
                f"Django's tests did not finish within {order.minutes:g} minutes "
                f"({'with' if adopt else 'without'} adoption; what they printed is in "
                f"{record / 'output.txt'}). Look for a test that hangs, or raise --minutes."
            )
            raise Refusal(message) from error
        finally:
            end(process)
    return read(record, seconds=monotonic() - started)


def environment() -> dict[str, str]:
    """Return this process's environment without what would choose settings for Django's tests."""
    chosen_elsewhere = {"DJANGO_SETTINGS_MODULE", "RUNNING_DJANGOS_TEST_SUITE", "PYTHONPATH"}
    return {name: value for name, value in os.environ.items() if name not in chosen_elsewhere}


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its workers, if any is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read(record: Path, *, seconds: float) -> Run:
    """Return what a run wrote into ``record``, however far it came."""
    outcomes: dict[str, str] = {}
    details: dict[str, str] = {}
    finished, ran = False, 0
    for line in lines_of(record / "outcomes.jsonl"):
        entry = json.loads(line)
        if "finished" in entry:
            finished, ran = True, entry["ran"]
            continue
        test, outcome = entry["test"], entry["outcome"]
        known = outcomes.get(test, outcome)
        outcomes[test] = min(known, outcome, key=WORST_FIRST.index)
        if outcome in BAD:
            details[test] = "\n".join(filter(None, [details.get(test), entry.get("detail")]))
    written = "\n".join(lines_of(record / "state.json")) or "{}"
    state = json.loads(written)
    return Run(
        finished=finished,
        ran=ran,
        outcomes=outcomes,
        details=details,
        django_sends=size_of(record / "django.sends"),
        our_sends=size_of(record / "signalpost.sends"),
        ours_at_start=state.get("ours_at_start", False),
        ours_at_end=state.get("ours_at_end", False),
        connected_before=state.get("connected_before", 0),
        seconds=seconds,
        last_output="\n".join(lines_of(record / "output.txt")[-LAST_LINES:]),
    )


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file, none if it isn't there."""
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def size_of(path: Path) -> int:
    """Return the bytes of a file, none if it isn't there."""
    return path.stat().st_size if path.is_file() else 0
