"""``retry``, ``cancel``, ``replay``, ``pause`` and ``resume``: what an operator does to deliveries."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signalpost.delivery import receivers
from signalpost.django.management.subcommands.places import add_database, usable_alias
from signalpost.django.management.subcommands.progress import Line
from signalpost.django.models import Message
from signalpost.django.operating import actions
from signalpost.django.operating.keys import known_queues, nearest
from signalpost.django.operating.wording import deliveries, plural
from signalpost.django.stores import store_for


def add(commands: Any) -> None:
    """Add the parsers."""
    for name, run, text in (
        ("retry", retry, "Have dead deliveries run again, with all their attempts."),
        ("cancel", cancel, "Have deliveries that aren't running never run."),
    ):
        parser = commands.add_parser(name, help=text)
        parser.set_defaults(run=run)
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="The ids of deliveries.")
        parser.add_argument("--receiver", metavar="KEY", help="Only of the receiver with this key.")
        parser.add_argument("--signal", metavar="NAME", help="Only of the signal of this name.")
        parser.add_argument("--queue", metavar="NAME", help="Only of this queue.")
        parser.add_argument("--all", action="store_true", help="All there are.")
        _add_dry_run(parser)
        add_database(parser)

    parser = commands.add_parser(
        "replay", help="Deliver messages that are kept once more, to the receivers of now."
    )
    parser.set_defaults(run=replay)
    parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="The ids of messages.")
    parser.add_argument("--signal", metavar="NAME", help="All messages of the signal of this name.")
    parser.add_argument(
        "--receiver",
        action="append",
        metavar="KEY",
        help="Only to the receiver with this key. May be given several times.",
    )
    add_database(parser)

    for name, run, text in (
        ("pause", pause, "Have workers claim nothing more of a queue."),
        ("resume", resume, "Have workers claim from a paused queue again."),
    ):
        parser = commands.add_parser(name, help=text)
        parser.set_defaults(run=run)
        parser.add_argument("queue", metavar="QUEUE", help="The name of the queue.")
        add_database(parser)


def retry(command: BaseCommand, options: dict[str, Any]) -> None:
    """Make dead deliveries ready."""
    alias, selection = _selection(options)
    if options["dry_run"]:
        count = actions.selected(alias, selection, dead_only=True)
        command.stdout.write(f"Would retry {deliveries(count)}.")
        return
    with Line(command.stderr) as line:
        count = actions.retry(
            alias, selection, progress=lambda n: line.show(f"{deliveries(n)} retried")
        )
    command.stdout.write(f"Retried {deliveries(count)}.")


def cancel(command: BaseCommand, options: dict[str, Any]) -> None:
    """Cancel what isn't running."""
    alias, selection = _selection(options)
    if options["dry_run"]:
        count = actions.selected(alias, selection, dead_only=False)
        command.stdout.write(f"Would cancel {deliveries(count)}.")
        return
    with Line(command.stderr) as line:
        count = actions.cancel(
            alias, selection, progress=lambda n: line.show(f"{deliveries(n)} cancelled")
        )
    command.stdout.write(f"Cancelled {deliveries(count)}.")


def replay(command: BaseCommand, options: dict[str, Any]) -> None:
    """Record new deliveries of kept messages."""
    alias, signal, ids = usable_alias(options), options["signal"], options["ids"]
    if not ids and signal is None:
        raise CommandError("Say what to replay: the ids of messages, or --signal NAME.")
    kept = Message._base_manager.using(alias)
    kept = kept if signal is None else kept.filter(topic=signal)
    kept = kept.filter(pk__in=ids) if ids else kept
    found = list(kept.values_list("pk", flat=True))
    keys = options["receiver"]
    _warn_of(command, "receiver", keys or (), receivers.keys())
    with Line(command.stderr) as line:
        count = actions.replay(
            alias, found, keys, progress=lambda n: line.show(f"{deliveries(n)} recorded")
        )
    messages = plural(len(found), "message", "messages")
    command.stdout.write(f"Replayed {messages}: {deliveries(count)}.")


def pause(command: BaseCommand, options: dict[str, Any]) -> None:
    """Pause a queue."""
    alias, queue = usable_alias(options), options["queue"]
    _warn_of(command, "queue", [queue], known_queues(store_for(alias)))
    changed = actions.pause(alias, queue)
    command.stdout.write(
        f"Queue '{queue}' is paused: workers claim no more of it within a second, and finish what "
        "they have claimed."
        if changed
        else f"Queue '{queue}' was paused already."
    )


def resume(command: BaseCommand, options: dict[str, Any]) -> None:
    """Resume a queue."""
    alias, queue = usable_alias(options), options["queue"]
    paused = store_for(alias).paused()
    if not actions.resume(alias, queue):
        raise CommandError(
            f"Queue '{queue}' isn't paused. {_listed('Paused are', paused) or 'None is.'}"
        )
    command.stdout.write(f"Queue '{queue}' goes on.")


def warn_of_queues(command: BaseCommand, alias: str, queues: Collection[str]) -> None:
    """Tell of queues that no receiver has and that hold nothing."""
    _warn_of(command, "queue", queues, known_queues(store_for(alias)))


def _warn_of(command: BaseCommand, what: str, given: Collection[str], known: set[str]) -> None:
    for name in given:
        if name not in known:
            near = nearest(name, known)
            question = f" Did you mean '{near}'?" if near else ""
            rest = _listed("Known are", known) or "None is known."
            command.stderr.write(
                f"Warning: no {what} '{name}' is known here.{question} {rest}",
                command.style.WARNING,
            )


def _listed(what: str, names: Collection[str]) -> str:
    return f"{what} {', '.join(sorted(names))}." if names else ""


def _selection(options: dict[str, Any]) -> tuple[str, actions.Selection]:
    alias = usable_alias(options)
    selection = actions.Selection(
        tuple(options["ids"]), options["receiver"], options["signal"], options["queue"]
    )
    if bool(selection) == options["all"]:
        raise CommandError(
            "Say which deliveries: their ids, --receiver, --signal or --queue; or --all."
        )
    return alias, selection


def _add_dry_run(parser: Any) -> None:
    parser.add_argument("--dry-run", action="store_true", help="Say how many, and do nothing.")
