"""The first comment, posted as a reader's browser would, and the proof that its mail arrived."""

from __future__ import annotations

import html
from http import HTTPStatus
from queue import SimpleQueue
from typing import Any

from demonstration.browser import Browser, Page
from demonstration.errors import DemoError
from demonstration.mailbox import Mail
from demonstration.report import Event
from demonstration.screen import Screen
from demonstration.stopwatch import Run

AUTHOR = "Ada"
COMMENT = "Does the admin hear of this?"


def post_first_comment(
    screen: Screen, url: str, signal: Any, events: SimpleQueue[Event]
) -> list[Event]:
    """Return what the comment set off; raise DemoError unless its mail came and a page shows it."""
    post, answer = submit_comment(screen, url)
    # The view answers after its receivers are done and the mail is accepted: all is here by now.
    happened = taken(events)
    _expect_mail(signal, answer, happened)
    expect_comment(screen, post)
    return happened


def submit_comment(screen: Screen, url: str) -> tuple[Page, Page]:
    """Post a comment; return the post's page, as it was before, and the answer."""
    screen.heading("A reader posts a comment")
    browser = Browser()
    home = _opened(screen, browser.open(url))
    post = _opened(screen, browser.open(_first_post(home)))
    if not post.forms:
        raise DemoError(
            f"{post.url} has no form to comment with. Look at blog/templates/blog/post_detail.html."
        )
    answer = browser.submit(post, post.forms[0], author=AUTHOR, text=COMMENT)
    screen.row(
        "POST",
        answer.url.partition("#")[0],
        note=str(answer.status),
        failed=answer.status != HTTPStatus.OK,
    )
    return post, answer


def expect_comment(screen: Screen, post: Page) -> None:
    """Raise a DemoError unless the post's page shows the comment."""
    page = _opened(screen, Browser().open(post.url))
    if html.escape(COMMENT) not in page.text:
        raise DemoError(
            f"The view answered 200, but the comment isn't on {page.url}. Look at blog/views.py."
        )


def _opened(screen: Screen, page: Page) -> Page:
    screen.row("GET", page.url, note=str(page.status), failed=page.status != HTTPStatus.OK)
    if page.status != HTTPStatus.OK:
        raise DemoError(
            f"{page.url} answered {page.status}, expected 200. Open it in a browser to see why."
        )
    return page


def _first_post(home: Page) -> str:
    for link in home.links:
        if "/posts/" in link:
            return link
    raise DemoError(f"{home.url} links to no post. Look at blog/migrations/0002_first_posts.py.")


def taken(events: SimpleQueue[Event]) -> list[Event]:
    """Return what has happened and wasn't taken before."""
    found: list[Event] = []
    while not events.empty():
        found.append(events.get())
    return found


def _expect_mail(signal: Any, answer: Page, happened: list[Event]) -> None:
    runs = [event for run in happened if isinstance(run, Run) for event in run.receivers]
    for run in runs:
        if run.error is not None:
            raise DemoError(f"The comment's mail didn't arrive: {run.name} raised {run.error!r}.")
    expect_answer(answer)
    if not runs:
        raise DemoError(
            f"The comment's mail didn't arrive: no receiver of {signal.name} ran. "
            "Was blog/receivers.py imported? 'signalpost.django' in INSTALLED_APPS does that."
        )
    mails = [event for event in happened if isinstance(event, Mail)]
    if not mails:
        raise DemoError(
            "The comment's mail didn't arrive: its receivers ran, but no mail reached the server."
        )
    if not any(map(tells_of_comment, mails)):
        raise DemoError(
            f"A mail arrived ({mails[0].subject!r}), but the comment's text isn't in it."
        )


def expect_answer(answer: Page) -> None:
    """Raise a DemoError unless the comment was accepted."""
    if answer.status != HTTPStatus.OK:
        raise DemoError(
            f"The comment was refused: {answer.url} answered {answer.status}, expected 200."
        )


def tells_of_comment(mail: Mail) -> bool:
    """Return whether the comment's text is in the mail."""
    return COMMENT in mail.text
