"""`manage.py signalpost trace` beside a development server, over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import signalpost
from signalpost.django import trace_client, trace_server
from signalpost.tracing import observe
from tests.ports import free_port

PATIENCE = 30


@contextmanager
def running(
    *command: str, folder: Path, environment: dict[str, str], output: Path
) -> Iterator[Any]:
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdout=file,
            stderr=file,
            # What runs in the background, as CI may, ignores it, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE} s for {what}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status)
    except OSError:
        return False


@pytest.fixture
def short_folder() -> Iterator[str]:
    """A folder for sockets, whose paths may have 107 characters at the most."""
    with TemporaryDirectory(prefix="signalpost-") as folder:
        yield folder


def test_what_fires_in_a_development_server(
    blog_copy: Path, tmp_path: Path, short_folder: str
) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    environment = {
        "BLOG_DATABASE": str(tmp_path / "blog.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TMPDIR": short_folder,
    }
    with ExitStack() as stack:
        for command in (["migrate", "-v0"],):
            with running(
                *command, folder=blog_copy, environment=environment, output=tmp_path / "m"
            ) as m:
                assert m.wait(PATIENCE) == 0
        traced = tmp_path / "trace"
        server_output = tmp_path / "server"
        places = {"folder": blog_copy, "environment": environment}
        tracer = stack.enter_context(
            running("signalpost", "--no-color", "trace", **places, output=traced)  # type: ignore[arg-type]
        )
        wait_for(lambda: b"Waiting for a development server" in traced.read_bytes(), "the tracer")
        address = url.removeprefix("http://").rstrip("/")
        server = stack.enter_context(
            running("runserver", address, **places, output=server_output)  # type: ignore[arg-type]
        )
        wait_for(lambda: answers(url), f"the server: {server_output.read_text()}")
        wait_for(lambda: b"Looking at 1 process." in traced.read_bytes(), "the connection")
        assert answers(url)
        text = wait_for(
            lambda: "request_finished" in traced.read_text() and traced.read_text(), "a trace"
        )
        assert re.search(
            r"^\d\d:\d\d:\d\d django\.core\.signals\.request_started from .*WSGIHandler  [\d.]+ ms\n"
            r" {11}django\.db\.reset_queries  [\d.]+ ms  django/db/__init__\.py:\d+$",
            text,
            re.MULTILINE,
        ), text
        assert server.poll() is None
        tracer.send_signal(signal.SIGINT)
        assert tracer.wait(PATIENCE) == 0
        assert "Traceback" not in traced.read_text()


def test_no_process_can_be_looked_at_unless_it_serves_or_says_so(monkeypatch: Any) -> None:
    assert not trace_server.is_wanted(None)
    assert trace_server.is_wanted(True)
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver"])
    monkeypatch.setattr("django.conf.settings.DEBUG", True)
    assert not trace_server.is_wanted(None)  # the reloader's outer process
    monkeypatch.setenv("RUN_MAIN", "true")
    assert trace_server.is_wanted(None)
    monkeypatch.setattr("django.conf.settings.DEBUG", False)
    assert not trace_server.is_wanted(None)


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = trace_server.folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="remove it"):
        trace_server.folder()


def test_trees_are_bounded_and_what_is_left_out_is_counted(monkeypatch: Any) -> None:
    sent = signalpost.Signal(name="sent")
    sent.connect(receive := lambda **kwargs: None)
    trees: Queue[str] = Queue(1)
    with observe(trace_server.Trees(trees)):
        for _ in range(4):
            sent.send(None)
        first = json.loads(trees.get())
        sent.send(None)
        second = json.loads(trees.get())

    assert receive
    assert [event["kind"] for event in first["events"]] == ["send", "receiver"]
    assert (first["missed"], second["missed"]) == (0, 3)
    plain = trace_client.as_text(second, str, str)
    assert plain.startswith("(3 more were left out")


def test_what_outlives_its_tree_is_one_of_its_own() -> None:
    root, leaf = signalpost.Signal(name="root"), signalpost.Signal(name="leaf")
    tasks: list[Any] = []

    async def later() -> None:
        await asyncio.sleep(0.01)
        await leaf.asend(None)

    async def starts(**kwargs: Any) -> None:
        tasks.append(asyncio.create_task(later()))

    async def heard(**kwargs: Any) -> None: ...

    root.connect(starts)
    leaf.connect(heard)
    trees: Queue[str] = Queue()
    observer = trace_server.Trees(trees)

    async def run() -> None:
        await root.asend(None)
        await tasks[0]

    with observe(observer):
        asyncio.run(run())

    names = [json.loads(trees.get())["events"][0]["name"] for _ in range(2)]
    assert names == ["root", "leaf"]
    assert (observer._inside, observer._root_of) == ({}, {})


def test_choosing_what_is_shown() -> None:
    tree = {
        "events": [{"signal": "shop.paid", "duration": 0.002}, {"signal": "x", "duration": None}]
    }
    assert trace_client.wanted(tree, None, 0)
    assert trace_client.wanted(tree, "paid", 2)
    assert not trace_client.wanted(tree, "refunded", 0)
    assert not trace_client.wanted(tree, None, 3)


def test_a_socket_that_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "99999999.sock"  # no process has this number
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(left))
    reader = trace_client.Reader(tmp_path)
    reader.connect()
    assert reader.count == 0
    assert not left.exists()
    reader.close()


def test_a_process_that_cannot_be_looked_at_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    deep = tmp_path / ("long" * 20)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    assert trace_server.start() is False
    assert "`manage.py signalpost trace` can't look at this process" in caplog.text


FORKS = """
import os, pathlib, sys, threading, time
from django.conf import settings
settings.configure()
from signalpost.django import trace_server
assert trace_server.start()
folder = trace_server.folder()
parent = folder / f"{os.getpid()}.sock"
child = os.fork()
if not child:
    assert (folder / f"{os.getpid()}.sock").exists()
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
print(parent.exists(), (folder / f"{child}.sock").exists())
"""


def test_a_forked_child_has_a_socket_of_its_own(short_folder: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS],
        env={**os.environ, "TMPDIR": short_folder},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "True False\n"), done.stderr
    assert list(Path(short_folder).rglob("*.sock")) == []
