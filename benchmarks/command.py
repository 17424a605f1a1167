"""The command: measure, print, write down, and fail where a budget was missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.report import describe, render_table
from benchmarks.results_file import write_section
from benchmarks.rows import Result, Row, Table, run_row
from benchmarks.timing import FULL, QUICK, Effort
from benchmarks.versions import Versions, installed_versions

RESULTS = Path(__file__).with_name("results.md")


def main(arguments: Sequence[str]) -> int:
    """The exit code: 1 where `--check` found a budget missed by more than 15 %."""
    options = _parser().parse_args(arguments)
    effort = QUICK if options.quick else FULL
    from benchmarks.django_project import set_up_django

    set_up_django()
    from benchmarks.tables import TABLES

    return run(TABLES, effort, only=options.only, check=options.check, results_path=RESULTS)


def run(
    tables: Sequence[Table],
    effort: Effort,
    *,
    only: str | None,
    check: bool,
    results_path: Path,
    versions: Versions | None = None,
) -> int:
    """Measure the tables' rows and report them; the exit code of the command, 2 if no row matches."""
    versions = versions or installed_versions()
    measured: list[tuple[Table, list[Result]]] = []
    for table in tables:
        rows = [row for row in table.rows if _is_wanted(table, row, only)]
        if rows:
            measured.append((table, [_run_aloud(table, row, effort) for row in rows]))
    if not measured:
        wanted = "Give a part of a row's name, as the tables of benchmarks/results.md have it."
        print(f"No row matches --only {only!r}. {wanted}", file=sys.stderr)
        return 2
    report = "\n\n".join(render_table(table, results) for table, results in measured)
    print(f"{versions.headline()}: {effort.name} run\n\n{report}")
    if only is None:
        write_section(results_path, versions=versions, effort=effort, report=report)
    else:
        print(f"\n{results_path.name} is left as it was: --only measured a part.", file=sys.stderr)
    return _check(measured, effort) if check else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute instead of about five")
    parser.add_argument(
        "--check", action="store_true", help="exit 1 if a budget is missed by > 15 %%"
    )
    parser.add_argument(
        "--only",
        metavar="PATTERN",
        help="only rows whose 'table: row' holds this text or matches this glob",
    )
    return parser


def _is_wanted(table: Table, row: Row, only: str | None) -> bool:
    if only is None:
        return True
    label, pattern = f"{table.title}: {row.name}".lower(), only.lower()
    return pattern in label or fnmatchcase(label, pattern)


def _run_aloud(table: Table, row: Row, effort: Effort) -> Result:
    result = run_row(row, effort)
    found = [" ".join(["", *describe(verdict)]) for verdict in result.verdicts]
    repeated = f" (median of {result.measurements})" if result.measurements > 1 else ""
    print(f"{table.title}: {row.name}{';'.join(found)}{repeated}", file=sys.stderr, flush=True)
    return result


def _check(measured: Sequence[tuple[Table, Sequence[Result]]], effort: Effort) -> int:
    verdicts = [
        (f"{table.title}: {result.row.name}", verdict)
        for table, results in measured
        for result in results
        for verdict in result.verdicts
        if effort is not QUICK or not verdict.budget.is_of_machine
    ]
    missed = [(name, verdict) for name, verdict in verdicts if verdict.outcome == "MISSED"]
    for name, verdict in missed:
        value, budget, _ = describe(verdict)
        print(f"Budget missed: {name}: {value}, budget {budget}", file=sys.stderr)
    if not missed:
        print(f"None of {len(verdicts)} budgets is missed by more than 15 %.", file=sys.stderr)
    return 1 if missed else 0
