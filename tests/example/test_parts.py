"""What the demo is made of, piece by piece."""

from __future__ import annotations

import asyncio
import io
from types import SimpleNamespace

import pytest
from blog.forms import CommentForm
from blog.models import Post
from demonstration.browser import Page
from demonstration.errors import DemoError
from demonstration.first_comment import COMMENT, _expect_mail
from demonstration.mailbox import Mail
from demonstration.options import Options, read_options
from demonstration.screen import Screen, printable
from demonstration.stopwatch import Run, Stopwatch

from signalpost import Signal
from signalpost.dispatch import hooks
from signalpost.tracing import Recorder, observe

ANSWER = Page("http://127.0.0.1/", 200, "", (), ())
SIGNAL = SimpleNamespace(name="blog.signals.new_comment_added")


def ran() -> Run:
    """A send that reached a receiver."""
    signal = Signal()
    signal.connect(send_notification := lambda **kwargs: None)
    with observe(Recorder()) as seen:
        signal.send(sender=None)
    assert send_notification
    return Run(tuple(seen.events))


RAN = ran()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def mail(text: str) -> Mail:
    return Mail("a@example.com", ("a@example.com",), "Subject", text)


# ------------------------------------------------------------------------------------ the proof


def test_mail_with_the_comment_is_proof() -> None:
    _expect_mail(SIGNAL, ANSWER, [mail(f"Posted: {COMMENT}"), RAN])


def test_receiver_that_ran_is_no_proof_of_a_mail() -> None:
    with pytest.raises(DemoError, match="its receivers ran, but no mail reached the server"):
        _expect_mail(SIGNAL, ANSWER, [RAN])


def test_other_mail_is_no_proof() -> None:
    with pytest.raises(DemoError, match=r"A mail arrived \('Subject'\), but the comment's text"):
        _expect_mail(SIGNAL, ANSWER, [mail("Posted: something else"), RAN])


def test_refused_comment_is_named() -> None:
    refused = Page("http://127.0.0.1/posts/x/comments/", 403, "", (), ())
    with pytest.raises(DemoError, match=r"posts/x/comments/ answered 403, expected 200"):
        _expect_mail(SIGNAL, refused, [])


# ------------------------------------------------------------------------------------ stopwatch


def test_stopwatch_reports_each_call_of_a_receiver() -> None:
    runs: list[Run] = []
    signal = Signal()

    def sync_receiver(**kwargs: object) -> str:
        return "sync"

    async def async_receiver(**kwargs: object) -> str:
        return "async"

    signal.connect(sync_receiver)
    signal.connect(async_receiver)
    with observe(Stopwatch(signal, on_run=runs.append)):
        responses = asyncio.run(signal.asend(sender=None))

    assert [response for _, response in responses] == ["sync", "async"]
    [run] = runs
    assert [event.name.rpartition(".")[2] for event in run.receivers] == [
        "sync_receiver",
        "async_receiver",
    ]
    assert all(event.duration is not None and event.error is None for event in run.receivers)


def test_stopwatch_reports_what_a_receiver_raised() -> None:
    runs: list[Run] = []
    signal = Signal()
    failure = ValueError("no")

    def failing_receiver(**kwargs: object) -> None:
        raise failure

    signal.connect(failing_receiver)
    with observe(Stopwatch(signal, on_run=runs.append)), pytest.raises(ValueError, match="no"):
        signal.send(sender=None)

    assert [event.error for run in runs for event in run.receivers] == [failure]


def test_stopwatch_minds_its_own_signal_and_what_it_sets_off() -> None:
    runs: list[Run] = []
    signal, other = Signal(name="signal"), Signal(name="other")

    def receiver(**kwargs: object) -> None:
        other.send(sender=None)

    def other_receiver(**kwargs: object) -> None: ...

    signal.connect(receiver)
    other.connect(other_receiver)
    with observe(Stopwatch(signal, on_run=runs.append)):
        other.send(sender=None)
        signal.send(sender=None)

    [run] = runs
    assert [event.name.rpartition(".")[2] for event in run.events] == [
        "signal",
        "receiver",
        "other",
        "other_receiver",
    ]


def test_stopwatch_is_no_receiver_and_leaves_no_trace() -> None:
    runs: list[Run] = []
    signal = Signal()

    def receiver(**kwargs: object) -> None:
        """Connected after the stopwatch was put away."""

    with observe(Stopwatch(signal, on_run=runs.append)):
        assert not signal.has_listeners()
        assert signal.receivers == []
    signal.connect(receiver)

    assert signal.send(sender=None) == [(receiver, None)]
    assert runs == []
    assert hooks.observe is None


# ------------------------------------------------------------------------------ form and options


def test_line_ends_count_as_browsers_count_them() -> None:
    text = "\r\n".join(["x"] * 1000)
    form = CommentForm(
        {"author": "Ann", "text": text, "submission": "6f0c1a52-5f0e-4c39-8a53-0d9b6b0a4c11"},
        post=Post(title="A post"),
    )

    assert len(text) > 2000
    assert form.is_valid(), form.errors
    assert "\r" not in form.cleaned_data["text"]


def test_empty_environment_means_the_defaults() -> None:
    assert read_options({"ONCE": ""}) == Options(once=False, http_port=8000, smtp_port=0)
    assert read_options({"ONCE": "0", "PORT": "0"}) == Options(once=False, http_port=0, smtp_port=0)


def test_options_come_from_the_environment() -> None:
    environ = {"ONCE": "1", "PORT": "9000", "EMAIL_PORT": "2525"}

    assert read_options(environ) == Options(once=True, http_port=9000, smtp_port=2525)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"ONCE": "yes"}, "ONCE is 'yes' in the environment: expected 1 or 0."),
        ({"PORT": "http"}, "PORT is 'http' in the environment: expected a port from 0 to 65535."),
        ({"PORT": "65536"}, "PORT is '65536' in the environment: expected a port from 0 to 65535."),
        ({"EMAIL_PORT": "-1"}, "EMAIL_PORT is '-1' in the environment: expected a port from 0"),
    ],
)
def test_wrong_option_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(DemoError) as caught:
        read_options(environ)

    assert str(caught.value).startswith(message)


# --------------------------------------------------------------------------------------- screen


def test_terminal_gets_colour() -> None:
    out = Terminal()

    Screen(out, out, environ={"TERM": "xterm"}).title("Demo")

    assert out.getvalue() == "\x1b[1mDemo\x1b[0m\n"


@pytest.mark.parametrize(
    ("stream", "environ"),
    [(Terminal, {"NO_COLOR": "1"}), (Terminal, {"TERM": "dumb"}), (io.StringIO, {})],
    ids=["NO_COLOR", "dumb terminal", "pipe"],
)
def test_others_get_plain_text(stream: type[io.StringIO], environ: dict[str, str]) -> None:
    out = stream()
    screen = Screen(out, out, environ=environ)

    screen.row("label", "value", note="note", failed=True)
    screen.error("went wrong")

    assert out.getvalue() == "  label     value  note\nerror: went wrong\n"


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07\n\u202e é") == r"a\x1b[2Jb\x07\n\u202e é"
