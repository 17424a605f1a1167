"""What awaiting one async receiver costs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import blinker

from benchmarks import names, untouched
from benchmarks.budgets import Budget
from benchmarks.contenders import AsyncStatement
from benchmarks.receivers import Comment, async_receiver
from benchmarks.rows import Row, Table, timed
from benchmarks.timing import Contender
from signalpost import Signal

_COMMENT = object()


@contextmanager
def _one_async_receiver() -> Iterator[Mapping[str, Contender]]:
    with asyncio.Runner() as runner:

        def statement(text: str, signal: object, receiver: object) -> AsyncStatement:
            return AsyncStatement(
                runner, text, signal=signal, receiver=receiver, sender=Comment, comment=_COMMENT
            )

        def asend(signal: Any) -> AsyncStatement:
            receiver = async_receiver()
            signal.connect(receiver)
            return statement("await signal.asend(sender=sender, comment=comment)", signal, receiver)

        by_hand = "[(receiver, await receiver(signal=signal, sender=sender, comment=comment))]"
        blinked, blinker_signal = async_receiver(), blinker.Signal()
        blinker_signal.connect(blinked)
        yield {
            names.HAND: statement(by_hand, object(), async_receiver()),
            names.OURS: asend(Signal()),
            names.DJANGO: asend(untouched.Signal()),
            names.CACHING: asend(untouched.Signal(use_caching=True)),
            names.BLINKER: statement(
                "await signal.send_async(sender, comment=comment)", blinker_signal, blinked
            ),
        }


TABLE = Table(
    title="Awaiting",
    unit="× hand",
    baseline=names.HAND,
    columns=(names.OURS, names.DJANGO, names.CACHING, names.BLINKER),
    rows=(
        Row(
            "asend, one async receiver",
            timed(_one_async_receiver),
            (Budget(names.OURS, against=names.DJANGO, at_most=1 / 15),),
        ),
    ),
    note="All inside one event loop; hand awaits the receiver directly.",
)
