"""Chromium with a project to look at. Skips where something is missing, unless it is required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.example.demo_process import SECONDS_TO_WAIT, environment, wait_until_served
from tests.ports import free_port

# Nothing but the site is asked for anything.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "for the tests only"


def require(condition: Any, missing: str) -> None:
    """Skip the test, or fail it where the browser's tests have to run, as in CI."""
    if condition:
        return
    if os.environ.get("SIGNALPOST_REQUIRE_BROWSER") == "1":
        pytest.fail(f"The browser's tests have to run, but {missing}.")
    pytest.skip(f"{missing[0].upper()}{missing[1:]}.")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of this machine."""
    executable = shutil.which("chromium")
    require(executable, "there is no chromium: `apt-get install chromium` brings it")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        require(False, "there is no playwright: `make venv` brings it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(folder: Path, blog: Path, checkout: Path, *, signals: int = 0) -> Iterator[str]:
    """The address of the blog, served as a developer does it, from a database in the folder."""
    port = free_port()
    paths = [str(checkout), str(blog), os.environ.get("PYTHONPATH", "")]
    environ = environment(
        BLOG_DATABASE=str(folder / "blog.sqlite3"),
        DJANGO_SETTINGS_MODULE="tests.map.project.settings",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        MAP_SIGNALS=str(signals),
        PYTHONPATH=os.pathsep.join(filter(None, paths)),
    )
    manage = [sys.executable, "manage.py"]
    options: dict[str, Any] = {"cwd": blog, "env": environ}
    create = ["createsuperuser", "--noinput", "--username=ann", "--email=ann@example.com"]
    for command in (["migrate", "--verbosity=0"], create):
        subprocess.run([*manage, *command], check=True, capture_output=True, **options)
    log = (folder / "log.txt").open("w")
    serve = [*manage, "runserver", "--noreload", f"127.0.0.1:{port}"]
    with log, subprocess.Popen(serve, stdout=log, stderr=log, **options) as server:
        try:
            wait_until_served(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


class Visitor:
    """Somebody of the staff, with pages open; what a page complains of is kept."""

    def __init__(self, browser: Any, url: str, *, scheme: str = "light") -> None:
        self.url = url
        self.context = browser.new_context(
            color_scheme=scheme, viewport={"width": 1400, "height": 820}
        )
        self.context.set_default_timeout(SECONDS_TO_WAIT * 1000)
        self.complaints: list[str] = []
        # Nothing is asked of anybody else.
        self.context.route(lambda address: not address.startswith(url), self._refuse)

    def log_in(self) -> None:
        page = self.context.new_page()
        page.goto(f"{self.url}/signalpost/?list")
        page.fill("[name=username]", "ann")
        page.fill("[name=password]", PASSWORD)
        page.click("[type=submit]")
        page.wait_for_selector("#list")
        page.close()

    def open(self, path: str = "/signalpost/") -> Any:
        page = self.context.new_page()
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.url + path)
        return page

    def open_map(self) -> Any:
        page = self.open()
        page.wait_for_selector("body[data-drawn]")
        page.wait_for_selector("#status[data-state=on]")
        return page

    def comment(self, text: str = "Hello") -> None:
        page = self.open("/posts/what-a-signal-is-for/")
        page.fill("[name=author]", "Ada")
        page.fill("[name=text]", text)
        # Chromium may never answer who closes a page that is just on its way to another.
        with page.expect_navigation():
            page.click("form button")
        page.close()

    def _listen(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _refuse(self, route: Any) -> None:
        self.complaints.append(f"asked for {route.request.url}")
        route.abort()


def where(page: Any, kind: str, name: str) -> dict[str, Any]:
    """The place of a node in the window, and what it looks like."""
    return page.evaluate(
        """id => {
            const detail = {id};
            document.getElementById("graph").dispatchEvent(new CustomEvent("signalpost:where", {detail}));
            return detail;
        }""",
        f"{kind} {name}",
    )


def until(page: Any, expression: str) -> Any:
    """The value of the expression, once it is true. What Playwright has for it a policy refuses."""
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not (value := page.evaluate(expression)):
        assert time.monotonic() < deadline, f"{expression} hasn't come true"
        page.wait_for_timeout(20)
    return value
