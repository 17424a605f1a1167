"""The blog with `config.durable`, and `make demo DURABLE=1`: the mail server is down, and no mail is lost."""

from __future__ import annotations

import os
import re
import signal
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest
from demonstration.mailbox import Mail, Mailbox
from demonstration.options import read_options

from tests.example.demo_process import ServingDemo, environment, run_once

MAIL = "A new comment has been posted on the blog: Ada on “Signals, delivered”: "
LOST_WORKER = """
import demonstration.worker
demonstration.worker.COMMAND = ("-c", "print('no such command'); raise SystemExit(3)")
"""
PREPARE = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
"""
CHECKS = """
call_command("check", fail_level="WARNING")
call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
"""
CONNECTED = """
from signalpost.inspect import signals
print([(r.name, r.options) for s in signals() if s.name == "blog.signals.new_comment_added" for r in s.receivers])
"""
POST = """
from blog.models import Comment
from django.test import Client
from signalpost.django.models import Delivery
import blog.views
{before}
client = Client(raise_request_exception=False)
form = dict(author="Ada", text="Well met!", submission="6f0c1a52-5f0e-4c39-8a53-0d9b6b0a4c11")
answer = client.post("/posts/signals-delivered/comments/", form, headers={{"host": "localhost"}})
print(answer.status_code, Comment.objects.count(), Delivery.objects.count())
"""
BROKEN_PAGE = "blog.views.render = None"


def run_in_blog(folder: Path, database: Path, program: str) -> str:
    """What the program prints, in the blog with `config.durable` and a new database."""
    return subprocess.check_output(
        [sys.executable, "-W", "error", "-c", PREPARE + program],
        cwd=folder,
        env=environment(DJANGO_SETTINGS_MODULE="config.durable", BLOG_DATABASE=str(database)),
        text=True,
        encoding="utf-8",
        stderr=subprocess.STDOUT,
        timeout=30,
    )


def test_durable_demo_delivers_once_the_mail_server_is_up(
    blog_folder: Path, tmp_path: Path
) -> None:
    finished = run_once(blog_folder, environ={"DURABLE": "1", "TMPDIR": str(tmp_path)})

    assert (finished.returncode, finished.stderr) == (0, "")
    shown = finished.stdout
    assert re.search(r"\n  mail      smtp://127\.0\.0\.1:\d+  down: ", shown)
    assert re.search(r"\n  POST      http://\S+/comments/  200\n", shown)
    assert re.search(r"\n    blog\.receivers\.send_notification  [\d.]+ ms  recorded\n", shown)
    for attempt in (1, 2):
        failed = rf"\n  attempt {attempt} ConnectionRefusedError: .+  again in [\d.]+ s\n"
        assert re.search(failed, shown)
    assert shown.index("\n  attempt 2 ") < shown.index("Now the mail server starts")
    assert shown.index("Now the mail server starts") < shown.index(f"\n  | {MAIL}")
    assert shown.endswith("\nDone: the mail arrived, though its server was down.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.once
def test_durable_demo_fails_where_the_worker_does(blog_folder: Path, tmp_path: Path) -> None:
    environ = {"DURABLE": "1", "TMPDIR": str(tmp_path)}
    finished = run_once(blog_folder, after=LOST_WORKER, environ=environ)

    assert finished.returncode == 1
    assert finished.stderr == (
        "error: The worker ended by itself, with exit code 3. Its last words: no such command\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.once
def test_durable_demo_takes_its_worker_with_it(blog_folder: Path, tmp_path: Path) -> None:
    with ServingDemo(blog_folder, DURABLE="1", PORT="0", TMPDIR=str(tmp_path)) as demo:
        worker = int(demo.wait_for(r"worker .* process (\d+)")[1])
        demo.wait_for("attempt 1")

        assert demo.stop(signal.SIGTERM) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.once
def test_durable_settings_pass_the_checks(blog_folder: Path, tmp_path: Path) -> None:
    printed = run_in_blog(blog_folder, tmp_path / "blog.sqlite3", CHECKS)

    assert re.findall(r"signalpost\.\w\d+", printed) == ["signalpost.I001"]


@pytest.mark.once
def test_one_keyword_is_all_that_differs(blog_folder: Path, tmp_path: Path) -> None:
    printed = run_in_blog(blog_folder, tmp_path / "blog.sqlite3", CONNECTED)

    assert printed == "[('blog.receivers.send_notification', {'durable': 'True'})]\n"


@pytest.mark.once
@pytest.mark.parametrize(
    ("before", "expected"), [("", "200 1 1"), (BROKEN_PAGE, "500 0 0")], ids=["whole", "broken"]
)
def test_comment_and_the_mail_that_is_owed_are_both_there_or_neither(
    before: str, expected: str, blog_folder: Path, tmp_path: Path
) -> None:
    printed = run_in_blog(blog_folder, tmp_path / "blog.sqlite3", POST.format(before=before))

    assert printed.split("\n")[-2] == expected


@pytest.mark.once
def test_mail_server_keeps_its_port_while_it_is_down() -> None:
    mails: list[Mail] = []
    mailbox = Mailbox(0, on_mail=mails.append)

    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", mailbox.port, timeout=5)
    with mailbox, smtplib.SMTP("127.0.0.1", mailbox.port, timeout=5) as client:
        client.sendmail("a@example.com", ["b@example.com"], "Subject: Up\n\nAgain.")

    assert [mail.subject for mail in mails] == ["Up"]


@pytest.mark.once
def test_durable_comes_from_the_environment() -> None:
    assert read_options({"DURABLE": "1"}).durable
    assert not read_options({"DURABLE": ""}).durable
