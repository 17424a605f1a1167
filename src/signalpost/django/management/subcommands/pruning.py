"""``prune``: deletes what is settled, once it is old enough."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from signalpost.django.management.subcommands.places import add_database, usable_alias
from signalpost.django.management.subcommands.progress import Line
from signalpost.django.operating.pruning import Pruned, prunable, prune
from signalpost.django.operating.wording import deliveries, plural
from signalpost.django.settings import configured


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "prune", help="Delete messages that nobody is owed any more, and what was cancelled."
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--older-than",
        type=_days,
        metavar="DAYS",
        help='Only what is older. Default: SIGNALPOST["RETENTION"], 14 days.',
    )
    parser.add_argument("--dry-run", action="store_true", help="Say how much, and delete nothing.")
    add_database(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Delete it, or say how much it is."""
    alias = usable_alias(options)
    days = configured("RETENTION") if options["older_than"] is None else options["older_than"]
    if options["dry_run"]:
        command.stdout.write(f"Would delete {_text(prunable(alias, days=days))}.")
        return
    with Line(command.stderr) as line:
        # Counting takes a while in itself.
        total = prunable(alias, days=days) if line.visible else None
        pruned = prune(alias, days=days, progress=lambda done: line.show(_progress(done, total)))
    command.stdout.write(f"Deleted {_text(pruned)}.")


def _text(pruned: Pruned) -> str:
    return f"{plural(pruned.messages, 'message', 'messages')} and {deliveries(pruned.deliveries)}"


def _progress(done: Pruned, total: Pruned | None) -> str:
    of = "" if total is None else f" of {_text(total)}"
    return f"{_text(done)}{of} deleted"


def _days(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 36_500:  # noqa: PLR2004 - a century
        raise ArgumentTypeError(f"{text!r} is no number of days.")
    return value
