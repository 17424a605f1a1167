"""What a send costs while connections come and go: in one thread, and in others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks import names, untouched
from benchmarks.contenders import Statement
from benchmarks.receivers import Comment, receivers
from benchmarks.rows import Row, Setup, Table, timed
from benchmarks.timing import Contender
from signalpost import Signal

_SIGNALS: Mapping[str, Callable[[], Any]] = {
    names.OURS: Signal,
    names.DJANGO: untouched.Signal,
    names.CACHING: lambda: untouched.Signal(use_caching=True),
}

# Long enough for each thread to have had the interpreter many times (it changes hands each 5 ms).
_THREADS_SECONDS = 0.08
_BETWEEN_CHANGES_SECONDS = 0.0005


@contextmanager
def _connect_between_sends() -> Iterator[Mapping[str, Contender]]:
    def changed(signal: Any) -> Statement:
        senders = [type("Other", (), {}) for _ in range(1_000)]
        kept = receivers(len(senders))
        for receiver, sender in zip(kept, senders, strict=True):
            signal.connect(receiver, sender=sender)
        send = "signal.send(sender=sender, comment=sender)"
        return Statement(
            f"signal.connect(late); {send}; signal.disconnect(late); {send}",
            signal=signal,
            late=receivers(1)[0],
            sender=Comment,
            keep=(kept, senders),
        )

    yield {name: changed(make()) for name, make in _SIGNALS.items()}


class _Threads:
    """Wall-clock time of one send, while threads send and others connect and disconnect."""

    def __init__(self, signal: Any, *, senders: int, changers: int) -> None:
        self._signal = signal
        self._senders = senders
        self._changers = changers
        self._kept = receivers(10)
        for receiver in self._kept:
            signal.connect(receiver)

    def warm_up(self, sample_ns: int) -> None:
        self.sample()

    def sample(self) -> float:
        stop = threading.Event()
        sent = [0] * self._senders
        threads = [
            *(
                threading.Thread(target=self._send, args=(stop, sent, at))
                for at in range(self._senders)
            ),
            *(threading.Thread(target=self._change, args=(stop,)) for _ in range(self._changers)),
        ]
        start = time.perf_counter_ns()
        for thread in threads:
            thread.start()
        time.sleep(_THREADS_SECONDS)
        stop.set()
        for thread in threads:
            thread.join()
        return (time.perf_counter_ns() - start) / sum(sent)

    def _send(self, stop: threading.Event, sent: list[int], at: int) -> None:
        signal = self._signal
        while not stop.is_set():
            for _ in range(50):
                signal.send(sender=Comment, comment=signal)
            sent[at] += 50

    def _change(self, stop: threading.Event) -> None:
        (late,) = receivers(1)
        while not stop.is_set():
            self._signal.connect(late)
            self._signal.disconnect(late)
            # Changes come at about the same pace for every contender, however fast its connect is.
            time.sleep(_BETWEEN_CHANGES_SECONDS)


def _threads(senders: int, changers: int) -> Setup:
    @contextmanager
    def setup() -> Iterator[Mapping[str, Contender]]:
        yield {
            name: _Threads(make(), senders=senders, changers=changers)
            for name, make in _SIGNALS.items()
        }

    return setup


TABLE = Table(
    title="Sending while connections come and go",
    unit="µs each",
    divisor=1_000,
    columns=tuple(_SIGNALS),
    rows=(
        Row(
            "connect, send, disconnect, send at 1,000 other senders", timed(_connect_between_sends)
        ),
        Row("send in 1 thread, nobody connects", timed(_threads(1, 0))),
        Row("send in 2 threads, 1 connects and disconnects", timed(_threads(2, 1))),
        Row("send in 4 threads, 2 connect and disconnect", timed(_threads(4, 2))),
    ),
    note="The threads' rows have 10 receivers; wall-clock time divided by all their sends.",
)
