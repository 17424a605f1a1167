"""`capture` and the assertions on it."""

from __future__ import annotations

import asyncio
import re
import threading
import unittest
from typing import Any

import pytest

from signalpost import DeclarationError, Signal, mute
from signalpost.testing import SignalAssertions, capture

added = Signal(providing_args=["comment"], name="blog.added")
edited = Signal(name="blog.edited")


def test_keeps_signal_sender_payload_and_order() -> None:
    with capture(added, edited) as sent:
        added.send("a", comment=1)
        edited.send_robust("b", n=2)
        asyncio.run(added.asend(None, comment=3))
        added.send_all(None, comment=4)
        edited.send("c")
    added.send("late", comment=5)
    assert [(each.signal, each.sender) for each in sent] == [
        (added, "a"), (edited, "b"), (added, None), (added, None), (edited, "c")
    ]  # fmt: skip
    assert sent.payloads == [{"comment": 1}, {"n": 2}, {"comment": 3}, {"comment": 4}, {}]
    assert sent.senders == ["a", "b", None, None, "c"]
    assert len(sent.of(edited)) == 2


def test_receivers_run_as_ever_and_a_muted_signal_is_captured_too() -> None:
    def receiver(**named: Any) -> str:
        return "called"

    edited.connect(receiver)
    with capture(edited) as sent:
        assert edited.send(None) == [(receiver, "called")]
        with mute(edited):
            assert edited.send(None) == []
    assert len(sent) == 2


def test_nested_each_has_its_own() -> None:
    outer, inner = capture(edited), capture(edited, added)
    first = outer.begin()
    edited.send(None)
    second = inner.begin()
    edited.send(None)
    outer.end()
    edited.send(None)
    inner.end()
    edited.send(None)
    assert (len(first), len(second)) == (2, 2)


def test_other_threads_are_not_noted() -> None:
    with capture(edited) as sent:
        thread = threading.Thread(target=lambda: edited.send("thread"))
        thread.start()
        thread.join()
    assert len(sent) == 0


def test_one() -> None:
    with capture(edited) as sent:
        pass
    with pytest.raises(AssertionError, match=r"Expected one send, but there were 0. Nothing was"):
        sent.one()
    with capture(edited) as sent:
        edited.send(None, n=1)
        assert sent.one().payload == {"n": 1}
        edited.send(None)
    with pytest.raises(AssertionError, match="there were 2"):
        sent.one()


def test_assertions_show_what_was_sent_instead() -> None:
    with capture(edited, added) as sent:
        edited.send(Signal, n=1)
        edited.send(None, n="x" * 200)
    assert sent.assert_sent(edited, n=1)[0].sender is Signal
    assert len(sent.assert_sent(edited, times=2)) == 2
    sent.assert_sent(edited, times=0, n=3)
    sent.assert_not_sent(added)
    sent.assert_not_sent(edited, n=3)
    expected = (
        "blog.edited was expected to be sent 1 time with n=2, but was sent so 0 times.\n"
        "Sent were:\n"
        "  1. blog.edited: sender=Signal, n=1\n"
        "  2. blog.edited: sender=None, n='" + "x" * 76 + "..."
    )
    with pytest.raises(AssertionError, match=re.escape(expected)):
        sent.assert_sent(edited, times=1, n=2)
    with pytest.raises(AssertionError, match=r"blog\.added was expected to be sent, but"):
        sent.assert_sent(added)
    with pytest.raises(AssertionError, match=r"not to be sent with n=1, sender=.*, but it was"):
        sent.assert_not_sent(edited, n=1, sender=Signal)


class TestWithMixin(SignalAssertions, unittest.TestCase):
    def test_sent(self) -> None:
        with self.assertSignalSent(added, times=1, comment=1) as sent:
            added.send(None, comment=1)
        assert sent.one().payload == {"comment": 1}
        with pytest.raises(AssertionError), self.assertSignalSent(added):
            pass

    def test_not_sent(self) -> None:
        with self.assertSignalNotSent(added, comment=2):
            added.send(None, comment=1)
        with pytest.raises(AssertionError), self.assertSignalNotSent(added):
            added.send(None, comment=1)


def test_fixtures(mute_signals: Any, capture_signals: Any) -> None:
    def receiver(**named: Any) -> str:
        return "called"

    signal = Signal()
    signal.connect(receiver)
    sent = capture_signals(signal)
    assert signal.send(None) == [(receiver, "called")]
    mute_signals(receiver)
    assert signal.send(None) == []
    assert len(sent) == 2


def test_wrong_uses() -> None:
    with pytest.raises(DeclarationError, match="needs to know what"):
        capture()
    with pytest.raises(DeclarationError, match="'post_save' is none"):
        capture("post_save")


def test_plugin_imports_django_only_where_the_project_does(tmp_path: Any) -> None:
    import subprocess
    import sys

    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it(capture_signals, mute_signals, commit_receivers):\n"
        "    assert not [name for name in sys.modules if name.partition('.')[0] == 'django']\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:randomly", "."]
    process = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "1 passed" in process.stdout, process.stdout + process.stderr
