"""The demo from start to end: servers up, one comment and the proof, then the visitor's turn."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from demonstration.first_comment import post_first_comment
from demonstration.mailbox import HOST, Mailbox
from demonstration.options import Options
from demonstration.report import Event, show_event, show_events
from demonstration.screen import Screen
from demonstration.site import Site, blog_ready, create_admin
from demonstration.stopwatch import Stopwatch

SETTINGS = "config.settings"


def run(options: Options, screen: Screen) -> None:
    """Show the demo; raise DemoError if it can't start or the first comment's mail didn't arrive."""
    events: SimpleQueue[Event] = SimpleQueue()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="signalpost-demo-")))
        mailbox = cleanup.enter_context(Mailbox(options.smtp_port, on_mail=events.put))
        cleanup.enter_context(
            blog_ready(SETTINGS, database=folder / "blog.sqlite3", smtp_port=mailbox.port)
        )
        from signalpost.tracing import observe

        signal = new_comment_added()
        cleanup.enter_context(observe(Stopwatch(signal, on_run=events.put)))
        site = cleanup.enter_context(Site(options.http_port))

        screen.title("Signalpost demo: a blog whose comments reach its admin by mail")
        show_site(screen, site)
        screen.row(
            "mail", f"smtp://{HOST}:{mailbox.port}", note="a real SMTP server, on this machine only"
        )

        show_events(screen, signal, post_first_comment(screen, site.url, signal, events))
        if options.once:
            screen.done("Done: the mail arrived.")
            return
        try:
            serve(screen, site, events)
        except KeyboardInterrupt:
            screen.done("Stopped.")


def new_comment_added() -> Any:
    """Return the blog's signal."""
    # The blog's modules can be imported once Django is set up, not before.
    from blog.signals import new_comment_added

    return new_comment_added


def show_site(screen: Screen, site: Site) -> None:
    """Show where the blog is, and what it stands on."""
    screen.row(
        "site", site.url, note="" if site.is_where_asked else f"port {site.wanted_port} is taken"
    )
    screen.row("database", "SQLite", note="new, and gone when the demo ends")
    screen.row("map", _map(site), note="who sends and who receives, for staff")


def serve(screen: Screen, site: Site, events: SimpleQueue[Event]) -> None:
    """Leave the site to the visitor, and show what happens, until Ctrl-C."""
    name, password = create_admin()
    screen.heading("Your turn: write a comment, its mail is shown here. Ctrl-C stops the demo.")
    screen.row("site", site.url)
    screen.row("admin", f"{site.url}admin/", note=f"{name}, password {password}")
    screen.row("map", _map(site), note="signed in there, you see a comment's path light up")
    while True:
        try:
            # The timeout lets Ctrl-C through on Windows: no wait without one can be interrupted.
            show_event(screen, events.get(timeout=1))
        except Empty:
            continue


def _map(site: Site) -> str:
    return f"{site.url}signalpost/"
