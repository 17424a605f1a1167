"""`make demo`: it succeeds only with the mail in its hands, says what is wrong, and stops cleanly."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from demonstration.browser import Browser

from tests.example.demo_process import ServingDemo, run_once

MAIL = "A new comment has been posted on the blog: Ada on “Signals, delivered”: "

REFUSING_SERVER = """
from demonstration.mailbox import Mailbox
async def handle_DATA(self, server, session, envelope):
    return "554 No mail today"
Mailbox.handle_DATA = handle_DATA
"""
GONE_SERVER = """
from demonstration.mailbox import Mailbox
def enter(self):
    self._listener.close()
    return self
Mailbox.__enter__ = enter
Mailbox.__exit__ = lambda self, *exception: self._controller.loop.close()
"""
NO_AIOSMTPD = "import sys; sys.modules['aiosmtpd'] = None"
ONE_PORT_ONLY = "import demonstration.site; demonstration.site.PORTS_TO_TRY = 1"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def import_from_signalpost(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    swapped = text.replace("from django.dispatch import", "from signalpost import")
    assert swapped.count("from signalpost import") == 1
    file.write_text(swapped, encoding="utf-8")


def test_demo_shows_the_mail_and_the_receiver_that_sent_it(
    blog_folder: Path, tmp_path: Path
) -> None:
    finished = run_once(blog_folder, environ={"TMPDIR": str(tmp_path)})

    assert (finished.returncode, finished.stderr) == (0, "")
    assert "  subject   New Comment Posted\n" in finished.stdout
    assert f"  | {MAIL}" in finished.stdout
    assert re.search(r"\n  map       http://127\.0\.0\.1:\d+/signalpost/  ", finished.stdout)
    assert "The trace of blog.signals.new_comment_added" in finished.stdout
    assert re.search(
        r"\n  blog\.signals\.new_comment_added from blog\.models\.Comment  [\d.]+ ms\n"
        r"    blog\.receivers\.send_notification  [\d.]+ ms\n",
        finished.stdout,
    )
    assert finished.stdout.endswith("\nDone: the mail arrived.\n")
    assert "\x1b" not in finished.stdout
    assert list(tmp_path.iterdir()) == []


def test_both_files_may_import_from_signalpost(blog_copy: Path) -> None:
    import_from_signalpost(blog_copy / "blog" / "signals.py")
    import_from_signalpost(blog_copy / "blog" / "receivers.py")

    finished = run_once(blog_copy)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert f"  | {MAIL}" in finished.stdout


@pytest.mark.once
@pytest.mark.parametrize(
    ("server", "reason"),
    [(REFUSING_SERVER, "SMTPDataError"), (GONE_SERVER, "ConnectionRefusedError")],
    ids=["refusing", "gone"],
)
def test_demo_fails_when_the_mail_server_is_broken(
    server: str, reason: str, blog_folder: Path, tmp_path: Path
) -> None:
    finished = run_once(blog_folder, after=server, environ={"TMPDIR": str(tmp_path)})

    assert finished.returncode == 1
    assert finished.stderr.startswith(
        "error: The comment's mail didn't arrive: blog.receivers.send_notification raised " + reason
    )
    assert finished.stderr.count("\n") == 1
    assert "Done" not in finished.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.once
def test_demo_fails_when_nothing_imports_the_receivers(blog_copy: Path) -> None:
    with (blog_copy / "config" / "settings.py").open("a") as settings:
        settings.write('\nSIGNALPOST = {"AUTODISCOVER": []}\n')

    finished = run_once(blog_copy)

    assert finished.returncode == 1
    assert finished.stderr == (
        "error: The comment's mail didn't arrive: no receiver of "
        "blog.signals.new_comment_added ran. Was blog/receivers.py imported? "
        "'signalpost.django' in INSTALLED_APPS does that.\n"
    )


@pytest.mark.once
def test_taken_mail_port_is_named(blog_folder: Path, taken_port: int) -> None:
    finished = run_once(blog_folder, environ={"EMAIL_PORT": str(taken_port)})

    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: The SMTP server can't listen on 127.0.0.1 port {taken_port}: it is in use. "
        "Set EMAIL_PORT to another port, or to 0 for any free one.\n"
    )


@pytest.mark.once
def test_taken_site_ports_are_named(blog_folder: Path, taken_port: int) -> None:
    finished = run_once(blog_folder, after=ONE_PORT_ONLY, environ={"PORT": str(taken_port)})

    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: The site can't listen on 127.0.0.1 port {taken_port}: it is in use. "
        "Set PORT to another port, or to 0 for any free one.\n"
    )


@pytest.mark.once
def test_missing_dependency_is_named(blog_folder: Path) -> None:
    finished = run_once(blog_folder, after=NO_AIOSMTPD)

    assert finished.returncode == 1
    assert finished.stderr.startswith("error: The demo needs aiosmtpd, which ")
    assert finished.stderr.count("\n") == 1


def test_demo_serves_on_another_port_until_interrupted(blog_folder: Path, taken_port: int) -> None:
    with ServingDemo(blog_folder, PORT=str(taken_port)) as demo:
        url = demo.wait_for(rf"site +(http://\S+)  port {taken_port} is taken")[1]
        password = demo.wait_for(r"admin, password (\S+)")[1]
        browser = Browser()
        post = browser.open(f"{url}posts/signals-delivered/")
        browser.submit(post, post.forms[0], author="Eve \x1b[31m", text="One\nTwo")
        demo.wait_for(r"A mail arrived")
        demo.wait_for(r"Eve \\x1b\[31m on .*: One$")
        demo.wait_for(r"^  \| Two$")
        demo.wait_for(r"blog\.receivers\.send_notification  \d+\.\d ms")

        login = browser.open(f"{url}admin/")
        browser.submit(login, login.forms[0], username="admin", password=password)
        comments = browser.open(f"{url}admin/blog/comment/")
        assert (comments.status, comments.text.count(">Eve ")) == (200, 1)

        assert demo.stop(signal.SIGINT) == 0
    assert demo.printed[-1] == "Stopped."
    assert not any("Traceback" in line for line in demo.printed)


@pytest.mark.once
def test_demo_stops_cleanly_when_terminated(blog_folder: Path, tmp_path: Path) -> None:
    with ServingDemo(blog_folder, PORT="0", TMPDIR=str(tmp_path)) as demo:
        demo.wait_for("admin, password")

        assert demo.stop(signal.SIGTERM) == 0
    assert demo.printed[-1] == "Stopped."
    assert list(tmp_path.iterdir()) == []
