"""``list``: what is connected where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signalpost import inspect, listing
from signalpost.inspect import SignalInfo

FORMATS = {
    "json": listing.as_json,
    "mermaid": listing.as_mermaid,
    "dot": listing.as_dot,
}


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser("list", help="List signals and their receivers in call order.")
    parser.set_defaults(run=list_signals)
    parser.add_argument("app", nargs="?", help="Only signals, senders and receivers of this app.")
    parser.add_argument("--signal", help="Only signals whose name holds this text.")
    parser.add_argument("--sender", help="Only receivers of senders whose name holds this text.")
    parser.add_argument("--all", action="store_true", help="Signals without receivers too.")
    parser.add_argument("--format", choices=["text", *FORMATS], default="text")
    parser.add_argument(
        "--check",
        metavar="BASELINE.json",
        help="Fail, and show the difference, if the wiring isn't that of this list.",
    )


def list_signals(command: BaseCommand, options: dict[str, Any]) -> None:
    """Write the list, or what is different from another."""
    found = list(_chosen(inspect.signals(), options))
    if options["check"] is not None:
        _check(command, Path(options["check"]), found)
    elif options["format"] != "text":
        command.stdout.write(FORMATS[options["format"]](found))
    else:
        style = command.style
        text = listing.as_text(found, style.MIGRATE_HEADING, style.HTTP_INFO)
        command.stdout.write(text or "No signal has receivers that match.\n")


def _check(command: BaseCommand, path: Path, found: list[SignalInfo]) -> None:
    try:
        baseline = path.read_text(encoding="utf-8")
        difference = listing.difference(baseline, found)
    except (OSError, ValueError) as error:
        raise CommandError(
            f"Cannot compare with {path}: {error}. Write it with "
            f"`manage.py signalpost list --format json > {path}`."
        ) from error
    if difference:
        command.stdout.write(difference)
        raise CommandError(
            f"The wiring has changed since {path} was written. If it should have, write it anew."
        )
    command.stdout.write(f"The wiring is that of {path}.")


def _chosen(found: Iterable[SignalInfo], options: dict[str, Any]) -> Iterable[SignalInfo]:
    app, signal, sender = options["app"], options["signal"], options["sender"]
    for info in found:
        receivers = info.receivers
        if signal is not None and signal not in info.name:
            continue
        if sender is not None:
            receivers = tuple(r for r in receivers if r.sender is not None and sender in r.sender)
        if app is not None and not _is_of(info.name, app):
            receivers = tuple(r for r in receivers if _is_of(r.name, app) or _is_of(r.sender, app))
        if receivers or (options["all"] and sender is None):
            yield replace(info, receivers=receivers)


def _is_of(name: str | None, app: str) -> bool:
    return name is not None and f".{app}." in f".{name}"
