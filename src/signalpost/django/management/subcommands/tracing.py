"""``trace``: what fires in running processes."""

from __future__ import annotations

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "trace", help="Show what fires in a running development server, until Ctrl-C."
    )
    parser.set_defaults(run=trace)
    parser.add_argument("--signal", help="Only what has a signal whose name holds this text.")
    parser.add_argument(
        "--slower-than",
        type=float,
        default=0.0,
        metavar="MS",
        help="Only what has something that took at least so many milliseconds.",
    )


def trace(command: BaseCommand, options: dict[str, Any]) -> None:
    """Write each tree of sends and receivers as soon as it is complete."""
    if not hasattr(socket, "AF_UNIX"):
        raise CommandError("This system has no Unix sockets, which `trace` needs.")
    from signalpost.django import trace_client, trace_server

    try:
        reader = trace_client.Reader(trace_server.folder())
    except OSError as error:
        raise CommandError(str(error)) from error
    style = command.style
    looked_at = -1
    try:
        while True:
            reader.connect()
            if reader.count != looked_at:
                looked_at = reader.count
                command.stderr.write(_waiting(looked_at), style.NOTICE)
            for tree in reader.trees(trace_client.LOOK):
                if trace_client.wanted(tree, options["signal"], options["slower_than"]):
                    text = trace_client.as_text(tree, style.MIGRATE_HEADING, style.ERROR)
                    command.stdout.write(text)
                    command.stdout.flush()
    except KeyboardInterrupt:
        return
    finally:
        reader.close()


def _waiting(processes: int) -> str:
    if processes:
        return f"Looking at {processes} process{'es' * (processes > 1)}. Ctrl-C ends it."
    return (
        "Waiting for a development server of this project: `manage.py runserver` with DEBUG, or any "
        'process with SIGNALPOST = {"TRACE": True}. Ctrl-C ends it.'
    )
