"""``manage.py signalpost``: what is connected where, and what fires."""

from __future__ import annotations

import socket
from argparse import SUPPRESS
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError, CommandParser

from signalpost import inspect, listing
from signalpost.inspect import SignalInfo

FORMATS = {
    "json": listing.as_json,
    "mermaid": listing.as_mermaid,
    "dot": listing.as_dot,
}


class Command(BaseCommand):
    """Django's command."""

    help = "See the signals of this project."
    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """One parser for each subcommand."""
        commands = parser.add_subparsers(dest="subcommand", required=True)
        lists = commands.add_parser("list", help="List signals and their receivers in call order.")
        lists.add_argument(
            "app", nargs="?", help="Only signals, senders and receivers of this app."
        )
        lists.add_argument("--signal", help="Only signals whose name holds this text.")
        lists.add_argument("--sender", help="Only receivers of senders whose name holds this text.")
        lists.add_argument("--all", action="store_true", help="Signals without receivers too.")
        lists.add_argument("--format", choices=["text", *FORMATS], default="text")
        lists.add_argument(
            "--check",
            metavar="BASELINE.json",
            help="Fail, and show the difference, if the wiring isn't that of this list.",
        )

        traces = commands.add_parser(
            "trace", help="Show what fires in a running development server, until Ctrl-C."
        )
        traces.add_argument("--signal", help="Only what has a signal whose name holds this text.")
        traces.add_argument(
            "--slower-than",
            type=float,
            default=0.0,
            metavar="MS",
            help="Only what has something that took at least so many milliseconds.",
        )
        for each in (lists, traces):
            _accept_djangos_options(each)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the subcommand says."""
        if options["subcommand"] == "trace":
            self._trace(options)
        else:
            self._list(options)

    def _trace(self, options: dict[str, Any]) -> None:
        if not hasattr(socket, "AF_UNIX"):
            raise CommandError("This system has no Unix sockets, which `trace` needs.")
        from signalpost.django import trace_client, trace_server

        try:
            reader = trace_client.Reader(trace_server.folder())
        except OSError as error:
            raise CommandError(str(error)) from error
        looked_at = -1
        try:
            while True:
                reader.connect()
                if reader.count != looked_at:
                    looked_at = reader.count
                    self.stderr.write(_waiting(looked_at), self.style.NOTICE)
                for tree in reader.trees(trace_client.LOOK):
                    if trace_client.wanted(tree, options["signal"], options["slower_than"]):
                        text = trace_client.as_text(
                            tree, self.style.MIGRATE_HEADING, self.style.ERROR
                        )
                        self.stdout.write(text)
                        self.stdout.flush()
        except KeyboardInterrupt:
            return
        finally:
            reader.close()

    def _list(self, options: dict[str, Any]) -> None:
        found = list(_chosen(inspect.signals(), options))
        if options["check"] is not None:
            self._check(Path(options["check"]), found)
        elif options["format"] != "text":
            self.stdout.write(FORMATS[options["format"]](found))
        else:
            text = listing.as_text(found, self.style.MIGRATE_HEADING, self.style.HTTP_INFO)
            self.stdout.write(text or "No signal has receivers that match.\n")

    def _check(self, path: Path, found: list[SignalInfo]) -> None:
        try:
            baseline = path.read_text(encoding="utf-8")
            difference = listing.difference(baseline, found)
        except (OSError, ValueError) as error:
            raise CommandError(
                f"Cannot compare with {path}: {error}. Write it with "
                f"`manage.py signalpost list --format json > {path}`."
            ) from error
        if difference:
            self.stdout.write(difference)
            raise CommandError(
                f"The wiring has changed since {path} was written. If it should have, write it anew."
            )
        self.stdout.write(f"The wiring is that of {path}.")


def _accept_djangos_options(parser: CommandParser) -> None:
    """Take what every command of Django takes behind the subcommand too, where people write it."""
    hidden: dict[str, Any] = {"default": SUPPRESS, "help": SUPPRESS}
    for flag in ("--settings", "--pythonpath"):
        parser.add_argument(flag, **hidden)
    for flag in ("--traceback", "--no-color", "--force-color"):
        parser.add_argument(flag, action="store_true", **hidden)
    parser.add_argument("-v", "--verbosity", type=int, choices=range(4), **hidden)


def _waiting(processes: int) -> str:
    if processes:
        return f"Looking at {processes} process{'es' * (processes > 1)}. Ctrl-C ends it."
    return (
        "Waiting for a development server of this project: `manage.py runserver` with DEBUG, or any "
        'process with SIGNALPOST = {"TRACE": True}. Ctrl-C ends it.'
    )


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
