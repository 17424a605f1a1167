"""What ``manage.py signalpost`` can do: a module for each group of subcommands.

A module's `add` adds their parsers. Each has the default `run`: the function that is called with the
command, which has Django's `stdout`, `stderr` and `style`, and the options.
"""

from __future__ import annotations

from argparse import SUPPRESS
from typing import Any

from signalpost.django.management.subcommands import (
    changing,
    looking,
    pruning,
    tracing,
    wiring,
    worker,
)


def add_subcommands(commands: Any) -> None:
    """Add all of them to what `add_subparsers` gave."""
    for group in (wiring, tracing, worker, looking, changing, pruning):
        group.add(commands)
    for parser in commands.choices.values():
        _accept_djangos_options(parser)


def _accept_djangos_options(parser: Any) -> None:
    """Take what every command of Django takes behind the subcommand too, where people write it."""
    hidden: dict[str, Any] = {"default": SUPPRESS, "help": SUPPRESS}
    for flag in ("--settings", "--pythonpath"):
        parser.add_argument(flag, **hidden)
    for flag in ("--traceback", "--no-color", "--force-color"):
        parser.add_argument(flag, action="store_true", **hidden)
    parser.add_argument("-v", "--verbosity", type=int, choices=range(4), **hidden)
