"""What a mail and a run of a receiver look like on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from demonstration.mailbox import Mail
from demonstration.screen import Screen
from demonstration.stopwatch import Run

Event = Mail | Run


def show_events(screen: Screen, signal: Any, events: Iterable[Event]) -> None:
    """Show the mails that arrived, then the trace."""
    happened = list(events)
    for mail in happened:
        if isinstance(mail, Mail):
            screen.heading("The mail that arrived")
            show_mail(screen, mail)
    show_trace(screen, signal, happened)


def show_trace(screen: Screen, signal: Any, happened: Iterable[Event]) -> None:
    """Show what fired, who received and for how long."""
    screen.heading(f"The trace of {signal.name}")
    for run in happened:
        if isinstance(run, Run):
            _show_run(screen, run)


def show_event(screen: Screen, event: Event) -> None:
    """Show one event by itself, as it happens."""
    if isinstance(event, Mail):
        screen.heading("A mail arrived")
        show_mail(screen, event)
    else:
        _show_run(screen, event)


def show_mail(screen: Screen, mail: Mail) -> None:
    """Show who wrote to whom, and what."""
    screen.row("from", mail.sender)
    screen.row("to", ", ".join(mail.recipients))
    screen.row("subject", mail.subject)
    screen.quote(mail.text)


def _show_run(screen: Screen, run: Run) -> None:
    failed = any(event.error is not None for event in run.receivers)
    for line in run.text.splitlines():
        screen.line(line, failed=failed)
