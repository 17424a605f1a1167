"""``worker``: runs durable deliveries."""

from __future__ import annotations

import threading
import time
from argparse import ArgumentTypeError
from signal import Signals
from typing import Any, Self

from django.core.management.base import BaseCommand, CommandError

from signalpost.delivery.worker import Settings, Stats, Worker
from signalpost.django.checks.deliveries import check_database
from signalpost.django.management.subcommands.changing import warn_of_queues
from signalpost.django.management.subcommands.places import add_database, usable_alias
from signalpost.django.management.subcommands.progress import Line
from signalpost.django.operating import leases, reporting
from signalpost.django.operating.stopping import Stopping
from signalpost.django.operating.wording import age, plural
from signalpost.django.settings import SHORTEST_LEASE, configured
from signalpost.django.working import make_worker, poll_of

MOST_THREADS = 500


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser("worker", help="Run durable deliveries, until SIGTERM or Ctrl-C.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "--queue",
        action="append",
        metavar="NAME",
        help="Work on this queue only. May be given several times. Default: all.",
    )
    parser.add_argument(
        "--concurrency",
        type=_threads,
        default=1,
        metavar="N",
        help="How many threads run receivers. Default: 1.",
    )
    parser.add_argument("--once", action="store_true", help="Stop once nothing is due.")
    parser.add_argument(
        "--lease",
        type=_lease,
        metavar="S",
        help='How long, in seconds, what it has claimed stays its own. Default: SIGNALPOST["LEASE"].',
    )
    add_database(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Work until a signal comes, or, with ``--once``, until nothing is due."""
    alias = usable_alias(options)
    _refuse_unfit(alias)
    queues = tuple(dict.fromkeys(options["queue"] or ()))
    warn_of_queues(command, alias, queues)
    settings = Settings(
        lanes=queues,
        concurrency=options["concurrency"],
        lease=configured("LEASE") if options["lease"] is None else options["lease"],
        poll=poll_of(alias),
        once=options["once"],
    )
    for long_run in leases.longer_than(settings.lease):
        command.stderr.write(f"Warning: {long_run.message}", command.style.WARNING)
    worker = make_worker(alias, settings, told=reporting.tell)
    shown = options["verbosity"] > 0
    talk = Talk(command, worker, shown=shown)
    with Stopping(talk.stop, talk.end):
        talk.begin(alias)
        with Progress(command, worker.stats, shown=shown):
            stats = worker.run()
    talk.sum_up(stats)


class Talk:
    """What the worker says of itself: in its log where that is shown, else on stdout."""

    def __init__(self, command: BaseCommand, worker: Worker, *, shown: bool) -> None:
        self.command = command
        self.worker = worker
        self.shown = shown

    def begin(self, alias: str) -> None:
        """It is about to work."""
        settings = self.worker.settings
        queues = ", ".join(settings.lanes) or "all queues"
        threads = plural(settings.concurrency, "thread", "threads")
        self._say(
            "started",
            f"Worker {self.worker.name} works on {queues} of database '{alias}', in {threads}.",
            database=alias,
        )

    def sum_up(self, stats: Stats) -> None:
        """It has stopped."""
        self._say(
            "stopped",
            f"Worker {self.worker.name} stopped after {age(time.monotonic() - stats.started)}: "
            f"{_counts(stats)}.",
            done=stats.done,
            retried=stats.retried,
            dead=stats.dead,
        )

    def stop(self, received: Signals) -> None:
        """The first signal."""
        self.worker.stop()
        self._warn(
            f"{received.name}: claims no more, finishes what runs, and hands back what has not begun. "
            "A second signal ends it at once."
        )

    def end(self, received: Signals) -> None:
        """The second one."""
        self._warn(
            f"{received.name} again: ended at once. What was running is run again when its lease has "
            f"lapsed, after at most {self.worker.settings.lease:g} s."
        )

    def _say(self, event: str, text: str, **parts: Any) -> None:
        reporting.event(event, text, worker=self.worker.name, **parts)
        if self.shown and not reporting.is_heard():
            self.command.stdout.write(text)
            self.command.stdout.flush()

    def _warn(self, text: str) -> None:
        if self.shown:
            self.command.stderr.write(text, self.command.style.NOTICE)
            self.command.stderr.flush()


class Progress:
    """A line on a terminal that counts what was done; none where the log is shown there anyway."""

    EVERY = 0.5

    def __init__(self, command: BaseCommand, stats: Stats, *, shown: bool) -> None:
        self.line: Line = Line(command.stderr)
        self.stats = stats
        self.shown: bool = shown and self.line.visible and not reporting.is_heard()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._count, name="signalpost-progress", daemon=True)

    def __enter__(self) -> Self:
        if self.shown:
            self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ended.set()
        if self.shown:
            self._thread.join()
        self.line.clear()

    def _count(self) -> None:
        before = 0
        while not self._ended.wait(self.EVERY):
            done = self.stats.done
            rate = (done - before) / self.EVERY
            before = done
            self.line.show(f"{_counts(self.stats)}, {rate:,.0f} a second")


def _counts(stats: Stats) -> str:
    return f"{stats.done:,} done, {stats.retried:,} to be retried, {stats.dead:,} dead"


def _refuse_unfit(alias: str) -> None:
    faults = [each for each in check_database(alias) if not each.is_silenced()]
    if faults:
        said = "\n".join(f"({each.id}) {each.msg}\n    {each.hint}" for each in faults)
        raise CommandError(f"The worker isn't started:\n{said}")


def _threads(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_THREADS:
        raise ArgumentTypeError(f"{text!r} is no number of threads, from 1 to {MOST_THREADS}.")
    return int(text)


def _lease(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not SHORTEST_LEASE <= value <= 86_400:  # noqa: PLR2004 - a day
        raise ArgumentTypeError(
            f"{text!r} is no number of seconds, from {SHORTEST_LEASE} to 86400."
        )
    return value
