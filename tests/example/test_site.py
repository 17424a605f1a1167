"""The blog as a reader meets it: over HTTP, served by Django's own command, its mails received."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from demonstration.browser import Browser, Page
from demonstration.mailbox import Mail, Mailbox

from tests.example.demo_process import environment, wait_until_served
from tests.ports import free_port

FIRST_POST = "posts/what-a-signal-is-for/"
MANAGE = [sys.executable, "-W", "error", "manage.py"]
CHECKS = """
import django
from django.core.management import call_command
django.setup()
call_command("check", fail_level="WARNING")
call_command("makemigrations", check_changes=True, dry_run=True)
call_command("migrate", verbosity=0)
"""


@dataclass(slots=True)
class Blog:
    """Where the site is, and the mails that its admin got."""

    url: str
    mails: list[Mail] = field(default_factory=list)

    def comment(self, author: str, text: str) -> Page:
        browser = Browser()
        post = browser.open(self.url + FIRST_POST)
        return browser.submit(post, post.forms[0], author=author, text=text)

    def read(self) -> str:
        return Browser().open(self.url + FIRST_POST).text


@pytest.fixture(scope="module")
def blog(blog_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    """The blog, served by ``manage.py runserver`` from a database of its own."""
    port = free_port()
    served = Blog(f"http://127.0.0.1:{port}/")
    with Mailbox(0, on_mail=served.mails.append) as mailbox:
        environ = environment(
            BLOG_DATABASE=str(tmp_path_factory.mktemp("blog") / "blog.sqlite3"),
            DJANGO_SETTINGS_MODULE="config.settings",
            EMAIL_PORT=str(mailbox.port),
        )
        prepare = [sys.executable, "-W", "error", "-c", CHECKS]
        subprocess.run(prepare, cwd=blog_folder, env=environ, check=True)
        serve = [*MANAGE, "runserver", "--noreload", f"127.0.0.1:{port}"]
        with subprocess.Popen(
            serve, cwd=blog_folder, env=environ, stdout=subprocess.DEVNULL
        ) as server:
            try:
                wait_until_served(port, server)
                yield served
            finally:
                server.terminate()


@pytest.fixture(autouse=True)
def no_mails_yet(blog: Blog) -> None:
    blog.mails.clear()


def test_comment_is_listed_and_mailed_once(blog: Blog) -> None:
    answer = blog.comment("Grace", "Ünï and “quotes”.")

    assert answer.status == 200
    assert "Thank you, Grace" in answer.text
    assert "Ünï and “quotes”." in blog.read()
    assert blog.mails == [
        Mail(
            sender="admin@example.com",
            recipients=("admin@example.com",),
            subject="New Comment Posted",
            text=(
                "A new comment has been posted on the blog: "
                "Grace on “What a signal is for”: Ünï and “quotes”."
            ),
        )
    ]


def test_comments_are_listed_in_the_order_of_their_posting(blog: Blog) -> None:
    blog.comment("Ann", "the earlier one")
    blog.comment("Ben", "the later one")

    page = blog.read()

    assert 0 < page.index("the earlier one") < page.index("the later one")


@pytest.mark.parametrize(
    ("author", "text", "complaint"),
    [
        ("", "No name", "This field is required."),
        ("Ann", " \n ", "This field is required."),
        ("A" * 81, "Long name", "Ensure this value has at most 80 characters (it has 81)."),
        ("Ann", "x" * 2001, "Ensure this value has at most 2000 characters (it has 2001)."),
        ("Ann", "nul \0 in it", "Null characters are not allowed."),
    ],
    ids=["no name", "blank text", "long name", "long text", "null character"],
)
def test_invalid_comment_comes_back_with_its_error(
    author: str, text: str, complaint: str, blog: Blog
) -> None:
    comments_before = blog.read().count("<li id=")

    answer = blog.comment(author, text)

    assert answer.status == 422
    assert complaint in answer.text
    assert answer.forms[0].fields["author"] == author
    assert blog.read().count("<li id=") == comments_before
    assert blog.mails == []


@pytest.mark.parametrize("without", ["the token", "the cookie"])
def test_comment_without_csrf_protection_is_refused(without: str, blog: Blog) -> None:
    browser = Browser()
    post = browser.open(blog.url + FIRST_POST)
    if without == "the token":
        del post.forms[0].fields["csrfmiddlewaretoken"]
    else:
        browser = Browser()

    answer = browser.submit(post, post.forms[0], author="Eve", text="forged without it")

    assert answer.status == 403
    assert "forged without it" not in blog.read()
    assert blog.mails == []


def test_markup_in_a_comment_is_text(blog: Blog) -> None:
    script = "<script>alert('x')</script>"

    thanks = blog.comment(f"Mal {script}", f"Look: {script}")
    invalid = blog.comment("", f"Look: {script}")

    assert (thanks.status, invalid.status) == (200, 422)
    for page in (thanks.text, invalid.text, blog.read()):
        assert "<script" not in page
        assert "Look: &lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in page
    assert "Mal &lt;script&gt;" in blog.read()
    assert script in blog.mails[0].text


def test_name_cannot_add_lines_to_the_mail(blog: Blog) -> None:
    blog.comment("Eve\r\nBcc: everybody@example.com\n\nhello", "text")

    assert blog.mails[0].text.count("\n") == 0
    assert blog.mails[0].recipients == ("admin@example.com",)


def test_reloading_the_answer_adds_no_second_comment(blog: Blog) -> None:
    browser = Browser()
    post = browser.open(blog.url + FIRST_POST)

    first = browser.submit(post, post.forms[0], author="Ann", text="only once")
    again = browser.submit(post, post.forms[0], author="Ann", text="only once")

    assert (first.status, again.status) == (200, 200)
    assert re.search(r"#comment-\d+$", again.url)
    assert again.text.count("only once") == 1
    assert len(blog.mails) == 1


def test_double_click_adds_one_comment(blog: Blog) -> None:
    browser = Browser()
    post = browser.open(blog.url + FIRST_POST)
    clicks = 6
    at_once = threading.Barrier(clicks)

    def click(number: int) -> int:
        at_once.wait()
        return browser.submit(post, post.forms[0], author="Ann", text="many clicks").status

    with ThreadPoolExecutor(clicks) as pool:
        statuses = list(pool.map(click, range(clicks)))

    assert statuses == [200] * clicks
    assert blog.read().count("many clicks") == 1
    assert len(blog.mails) == 1


def test_address_of_the_form_shows_the_post(blog: Blog) -> None:
    page = Browser().open(f"{blog.url}{FIRST_POST}comments/")

    assert page.url == f"{blog.url}{FIRST_POST}#write"
    assert page.status == 200


def test_unknown_post_is_not_found(blog: Blog) -> None:
    assert Browser().open(f"{blog.url}posts/nothing-here/").status == 404
    assert Browser().open(f"{blog.url}posts/nothing-here/comments/").status == 404


@pytest.mark.parametrize("path", ["", FIRST_POST])
def test_page_loads_nothing_from_elsewhere(path: str, blog: Blog) -> None:
    page = Browser().open(blog.url + path)
    loaded = re.findall(r'(?:<link [^>]*href|src)="([^"]+)"', page.text)

    assert loaded
    assert [address for address in loaded if not re.match(r"/static/blog/\w", address)] == []
    for address in loaded:
        assert Browser().open(blog.url.rstrip("/") + address).status == 200
