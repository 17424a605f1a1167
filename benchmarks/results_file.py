"""`results.md`: one section for each pair of Python and Django, a run replaces its own."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.timing import Effort
from benchmarks.versions import Versions

_PREFACE = """\
# Benchmarks

Written by `python -m benchmarks` (`make bench`). All contenders of a row run in one process, their
short samples interleaved in changing order with garbage collection off; a figure is the 10th
percentile of its samples, in time on the processor. Lower is faster, except where a budget says how
many times faster. A row that misses its budget is measured twice more and the median of the three
counts. "close" is a budget missed by no more than 15 %.
"""


def write_section(path: Path, *, versions: Versions, effort: Effort, report: str) -> None:
    """Put a run's tables into the file, in the place of an earlier run with the same versions."""
    sections = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    about = f"{versions.day.isoformat()}, {effort.name} run. {versions.sentence()}."
    sections[versions.headline()] = f"{about}\n\n{report}"
    parts = [f"## {headline}\n\n{sections[headline]}\n" for headline in sorted(sections)]
    path.write_text("\n".join([_PREFACE, *parts]), encoding="utf-8")


def _sections(text: str) -> dict[str, str]:
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    split = (part.partition("\n") for part in parts)
    return {headline.strip(): body.strip() for headline, _, body in split}
