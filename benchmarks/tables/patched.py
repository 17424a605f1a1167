"""Adopted signals where `_live_receivers` is replaced: people with an error tracker live here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import django.dispatch

from benchmarks import names, untouched
from benchmarks.adopted import at_least, plain_pair
from benchmarks.live_receivers_patch import patched
from benchmarks.receivers import model_receivers
from benchmarks.rows import Measure, Row, Setup, Table, timed
from benchmarks.timing import Contender, Effort, Figures


def _patched_after_adoption(count: int) -> Setup:
    @contextmanager
    def setup() -> Iterator[Mapping[str, Contender]]:
        pair = plain_pair(lambda: model_receivers(count))
        with patched(django.dispatch.Signal, untouched.Signal):
            yield pair

    return setup


def _patched_before_adoption(count: int) -> Measure:
    def measure(effort: Effort) -> Figures:
        command = [sys.executable, "-m", "benchmarks.patched_first", str(count), effort.name]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
        figures: Figures = json.loads(done.stdout)
        return figures

    return measure


TABLE = Table(
    title="Adopted: `_live_receivers` replaced",
    unit="µs each",
    divisor=1_000,
    columns=(names.ADOPTED, names.UNTOUCHED),
    rows=(
        *(
            Row(f"after adoption, {count}", timed(_patched_after_adoption(count)), at_least(1.0))
            for count in (1, 3, 10)
        ),
        *(
            Row(f"before adoption, {count}", _patched_before_adoption(count), at_least(1.0))
            for count in (1, 3, 10)
        ),
    ),
    note=(
        "`_live_receivers` of both classes wraps each receiver, as sentry-sdk's does. before "
        "adoption: in a process of its own, in which the patch came first and adoption after it, as "
        "when the settings module initialises the tracker."
    ),
)
