"""The durable demo: the mail server is down when the comment is posted, and the mail arrives all the same."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory

from demonstration.errors import DemoError
from demonstration.first_comment import (
    expect_answer,
    expect_comment,
    submit_comment,
    taken,
    tells_of_comment,
)
from demonstration.mailbox import HOST, Mail, Mailbox
from demonstration.options import Options
from demonstration.owed import SECONDS_TO_WAIT, wait_for_failure, wait_until_settled
from demonstration.report import Event, show_mail, show_trace
from demonstration.screen import Screen
from demonstration.show import new_comment_added, serve, show_site
from demonstration.site import Site, blog_ready
from demonstration.stopwatch import Stopwatch
from demonstration.worker import COMMAND, Worker

SETTINGS = "config.durable"
#: How many attempts are to fail before the mail server is started.
FAILURES = 2


def run_durable(options: Options, screen: Screen) -> None:
    """Show the demo; raise DemoError if it can't start or the comment's mail didn't arrive."""
    events: SimpleQueue[Event] = SimpleQueue()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="signalpost-demo-")))
        mailbox = Mailbox(options.smtp_port, on_mail=events.put)
        while_down = cleanup.enter_context(ExitStack())
        while_down.callback(mailbox.close)
        cleanup.enter_context(
            blog_ready(SETTINGS, database=folder / "blog.sqlite3", smtp_port=mailbox.port)
        )
        from signalpost.tracing import observe

        signal = new_comment_added()
        cleanup.enter_context(observe(Stopwatch(signal, on_run=events.put)))
        site = cleanup.enter_context(Site(options.http_port))
        worker = cleanup.enter_context(Worker(folder / "worker.log"))

        screen.title("Signalpost demo: the mail server is down, and the mail arrives all the same")
        show_site(screen, site)
        screen.row("mail", f"smtp://{HOST}:{mailbox.port}", note="down: nobody listens there yet")
        screen.row("worker", " ".join(COMMAND), note=f"process {worker.pid}")

        post, answer = submit_comment(screen, site.url)
        posted = time.monotonic()
        expect_answer(answer)
        expect_comment(screen, post)
        show_trace(screen, signal, taken(events))
        _show_failures(screen, worker)

        while_down.pop_all()
        cleanup.enter_context(mailbox)
        screen.heading("Now the mail server starts")
        screen.row("mail", f"smtp://{HOST}:{mailbox.port}", note="up")
        screen.heading("The mail that arrived")
        show_mail(screen, _wait_for_mail(events, worker))
        wait_until_settled(worker)
        seconds = time.monotonic() - posted
        screen.row("owed", "nothing", note=f"{seconds:.1f} s after the comment, its row is gone")
        if options.once:
            screen.done("Done: the mail arrived, though its server was down.")
            return
        try:
            serve(screen, site, events)
        except KeyboardInterrupt:
            screen.done("Stopped.")


def _show_failures(screen: Screen, worker: Worker) -> None:
    """Show what is owed, and the attempts that fail."""
    screen.heading("The mail is owed: a row, written in the transaction that saved the comment")
    attempts = 0
    while attempts < FAILURES:
        owed = wait_for_failure(worker, beyond=attempts)
        if attempts == 0:
            screen.row("signal", owed.signal)
            screen.row("receiver", owed.receiver, note=f"{owed.max_attempts} attempts at most")
        attempts = owed.attempts
        again = "" if owed.state == "dead" else f"again in {max(0.0, owed.due_in):.1f} s"
        screen.row(f"attempt {attempts}", owed.problem, failed=True, note=again)
        if owed.state == "dead":
            raise DemoError(f"The comment's mail didn't arrive: it was given up, {owed.problem}.")


def _wait_for_mail(events: SimpleQueue[Event], worker: Worker) -> Mail:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < deadline:
        worker.require()
        try:
            event = events.get(timeout=0.2)
        except Empty:
            continue
        if isinstance(event, Mail):
            if tells_of_comment(event):
                return event
            raise DemoError(
                f"A mail arrived ({event.subject!r}), but the comment's text isn't in it."
            )
    raise DemoError(
        f"The comment's mail didn't arrive within {SECONDS_TO_WAIT} s. The worker's last words: "
        f"{worker.last_words()}"
    )
