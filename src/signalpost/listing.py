"""The list of signals and receivers as text, JSON, or a graph for Mermaid or Graphviz."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from signalpost.inspect import ReceiverInfo, SignalInfo, as_data

Style = Callable[[str], str]


def as_text(found: Iterable[SignalInfo], heading: Style = str, quiet: Style = str) -> str:
    """A paragraph for each signal, a line for each receiver in call order."""
    return "\n".join(_paragraph(info, heading, quiet) for info in found)


def as_json(found: Iterable[SignalInfo]) -> str:
    """What the published schema describes, with files relative to the working directory."""
    return json.dumps(portable(as_data(found)), indent=2, sort_keys=True)


def as_mermaid(found: Iterable[SignalInfo]) -> str:
    """A flowchart of Mermaid: signals, and arrows to their receivers."""
    lines = ["flowchart LR"]
    ids: dict[str, str] = {}
    for info in found:
        lines.append(f'  {_id(ids, info.name)}(["{_escaped(info.name)}"])')
        for receiver in info.receivers:
            label = f'|"{_escaped(receiver.sender)}"|' if receiver.sender else ""
            target = f'{_id(ids, receiver.name)}["{_escaped(receiver.name)}"]'
            arrow = "-.->" if receiver.delivery != "now" else "-->"
            lines.append(f"  {_id(ids, info.name)} {arrow}{label} {target}")
    return "\n".join(lines)


def as_dot(found: Iterable[SignalInfo]) -> str:
    """A directed graph of Graphviz."""
    lines = ["digraph signals {", "  rankdir=LR;"]
    for info in found:
        lines.append(f"  {_dot(info.name)} [shape=oval];")
        for receiver in info.receivers:
            style = "dashed" if receiver.delivery != "now" else "solid"
            label = f", label={_dot(receiver.sender)}" if receiver.sender else ""
            lines.append(f"  {_dot(receiver.name)} [shape=box];")
            lines.append(f"  {_dot(info.name)} -> {_dot(receiver.name)} [style={style}{label}];")
    return "\n".join([*lines, "}"])


def difference(baseline: str, found: Iterable[SignalInfo]) -> str:
    """What has changed since the list in JSON was written, or nothing. Lines don't count.

    Raises a ValueError for what is no such list.
    """
    try:
        old = _wiring(json.loads(baseline)["signals"])
    except (TypeError, KeyError, ValueError):
        raise ValueError("it isn't a list that `--format json` has printed") from None
    new = _wiring(portable(as_data(found))["signals"])
    return "\n".join(difflib.unified_diff(old, new, "baseline", "now", lineterm="", n=1))


def _paragraph(info: SignalInfo, heading: Style, quiet: Style) -> str:
    payload = "" if info.payload is None else f"({', '.join(info.payload)})"
    lines = [f"{heading(info.name)}{payload}"]
    if info.doc:
        lines.append(quiet(f"    {info.doc.splitlines()[0]}"))
    lines += [_line(receiver, quiet) for receiver in info.receivers]
    if not info.receivers:
        lines.append(quiet("  no receivers"))
    return "\n".join([*lines, ""])


def _line(receiver: ReceiverInfo, quiet: Style) -> str:
    facts = [f"sender={receiver.sender}"] if receiver.sender else []
    facts += [f"priority={receiver.priority:g}"] if receiver.priority else []
    facts += ["async"] if receiver.is_async else []
    facts += [] if receiver.weak else ["strong"]
    facts += [f"{name}={value}" for name, value in receiver.options.items()]
    place = f"{relative(receiver.file)}:{receiver.line}" if receiver.file else "?"
    return f"  {receiver.name}  {quiet('  '.join([*facts, place]))}"


def _wiring(signals: Sequence[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    for signal in signals:
        payload = signal["payload"]
        lines.append(signal["name"] + ("" if payload is None else f"({', '.join(payload)})"))
        for receiver in signal["receivers"]:
            facts = [f"{n}={v}" for n, v in sorted(receiver.items()) if n not in _NOT_WIRING]
            lines.append(f"  {receiver['name']}  {' '.join(facts)}")
    return lines


_NOT_WIRING = frozenset({"name", "file", "line"})


def portable(data: dict[str, Any]) -> dict[str, Any]:
    """What `as_data` gave, with files as they are called on every machine."""
    for signal in data["signals"]:
        signal["file"] = relative(signal["file"])
        for receiver in signal["receivers"]:
            receiver["file"] = relative(receiver["file"])
    return data


def relative(file: str | None) -> str | None:
    """A path as short as people need it: from here, or from where packages are installed."""
    if file is None:
        return None
    path = Path(file)
    for packages in ("site-packages", "dist-packages"):
        if packages in path.parts:  # whichever machine it is on
            return Path(*path.parts[path.parts.index(packages) + 1 :]).as_posix()
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else file


def _id(ids: dict[str, str], name: str) -> str:
    return ids.setdefault(name, f"n{len(ids)}")


def _escaped(text: str) -> str:
    return text.replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
