"""``status``, ``health`` and ``doctor``: how deliveries get on."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from signalpost.django.management.subcommands.places import (
    add_database,
    known_alias,
    usable_alias,
)
from signalpost.django.operating.diagnosis import ERROR, diagnose
from signalpost.django.operating.health import MAX_AGE, unhealthy
from signalpost.django.operating.standing import VERSION, as_data, standing
from signalpost.django.operating.wording import as_text, plural


def add(commands: Any) -> None:
    """Add the parsers."""
    parser = commands.add_parser("status", help="Show what is owed in each queue, and the workers.")
    parser.set_defaults(run=status)
    add_database(parser)
    _add_format(parser)

    parser = commands.add_parser(
        "health", help="Exit with 0 if durable deliveries get on, else with 1, and say why not."
    )
    parser.set_defaults(run=health)
    add_database(parser)
    parser.add_argument(
        "--max-age",
        type=_seconds,
        default=MAX_AGE,
        metavar="S",
        help=f"The longest that something may be due, in seconds. Default: {MAX_AGE:g}.",
    )
    parser.add_argument(
        "--max-dead",
        type=_count,
        metavar="N",
        help="How many deliveries may be dead. Default: any number.",
    )

    parser = commands.add_parser(
        "doctor", help="Look for what keeps durable deliveries from being made, and say what to do."
    )
    parser.set_defaults(run=doctor)
    add_database(parser)
    _add_format(parser)


def status(command: BaseCommand, options: dict[str, Any]) -> None:
    """Write how things stand."""
    found = standing(usable_alias(options))
    as_json = options["format"] == "json"
    command.stdout.write(json.dumps(as_data(found), indent=2) if as_json else as_text(found))


def health(command: BaseCommand, options: dict[str, Any]) -> None:
    """Write the reasons why it isn't well; the exit code says whether there are any."""
    found = standing(usable_alias(options))
    reasons = unhealthy(found, max_age=options["max_age"], max_dead=options["max_dead"])
    for reason in reasons:
        command.stdout.write(reason, command.style.ERROR)
    if reasons:
        raise SystemExit(1)
    workers = plural(len(found.alive), "worker", "workers")
    owed = sum(queue.owed for queue in found.queues)
    command.stdout.write(f"Healthy: {workers}, {owed:,} owed.", command.style.SUCCESS)


def doctor(command: BaseCommand, options: dict[str, Any]) -> None:
    """Write all that is wrong; the exit code says whether anything is."""
    alias = known_alias(options)
    findings = diagnose(alias)
    if options["format"] == "json":
        data = {"version": VERSION, "database": alias, "findings": [asdict(f) for f in findings]}
        command.stdout.write(json.dumps(data, indent=2))
    for finding in findings if options["format"] == "text" else ():
        style = command.style.ERROR if finding.level == ERROR else command.style.WARNING
        command.stdout.write(f"{finding.level} ({finding.about}): {finding.message}", style)
        command.stdout.write(f"    {finding.hint}")
    if findings:
        raise SystemExit(1)
    if options["format"] == "text":
        command.stdout.write(f"Database '{alias}': nothing is wrong.", command.style.SUCCESS)


def _add_format(parser: Any) -> None:
    parser.add_argument("--format", choices=["text", "json"], default="text")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no number of seconds.")
    return value


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of deliveries.")
    return int(text)
