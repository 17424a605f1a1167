"""What importing Signalpost costs, and what it leaves to later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import signalpost

SOURCE = Path(signalpost.__file__).resolve().parents[1]
# An interpreter that has imported nothing but what it starts with.
BARE = [sys.executable, "-I", "-S", "-c"]
START = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); before = set(sys.modules)\n"

LATE = (
    "asgiref asyncio collections.abc contextvars dataclasses difflib django inspect linecache "
    "logging threading typing unicodedata"
).split()


def printed(program: str) -> str:
    return subprocess.check_output([*BARE, START + program], text=True, timeout=60).strip()


def test_import_brings_nothing_heavy() -> None:
    new = printed("import signalpost; print(*sorted(set(sys.modules) - before))").split()

    assert sorted({name.partition(".")[0] for name in new} & set(LATE)) == []
    assert "signalpost.dispatch.signal" in new
    assert not any(name.startswith("signalpost.django") for name in new)


@pytest.mark.once
def test_connecting_and_sending_plain_functions_brings_nothing_heavy() -> None:
    program = """
import signalpost
signal = signalpost.Signal(providing_args=["a"])
@signalpost.receiver(signal)
def receiver(a): return a
for _ in range(3): assert signal.send(None, a=1) == [(receiver, 1)]
print(*sorted(set(sys.modules) - before))
"""
    new = printed(program).split()

    assert sorted({name.partition(".")[0] for name in new} & set(LATE)) == []


def test_program_that_exits_with_hot_signals_prints_nothing() -> None:
    program = """
import signalpost
class Host:
    def method(self, **named): return 1
    def __del__(self): signal.send(None, a=1); signal.connect(receiver)
def receiver(**named): return 2
class Sender: pass
signal = signalpost.Signal()
host, sender = Host(), Sender()
host.itself = host
signal.connect(host.method)
signal.connect(receiver)
signal.connect(receiver, sender=sender)
for _ in range(10): signal.send(None, a=1); signal.send(sender, a=1)
signal.receivers
"""
    process = subprocess.run(
        [*BARE, START + program], capture_output=True, text=True, timeout=60, check=True
    )

    assert (process.stdout, process.stderr) == ("", "")
