"""What one send costs, for 0 to 100 receivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks import names, untouched
from benchmarks.budgets import Budget
from benchmarks.peers import connected, everyone, sending
from benchmarks.receivers import Comment, Shape, receivers
from benchmarks.rows import Row, Setup, Table, timed
from benchmarks.timing import Contender
from signalpost import Signal


def _sends(count: int, shape: Shape) -> Setup:
    @contextmanager
    def setup() -> Iterator[Mapping[str, Contender]]:
        yield everyone(lambda: receivers(count, shape))

    return setup


def _declared(count: int, shape: Shape) -> Setup:
    """Ours declares its payload; all others are as in the other rows, with `**kwargs`."""

    @contextmanager
    def setup() -> Iterator[Mapping[str, Contender]]:
        contenders = everyone(lambda: receivers(count))
        signal = Signal(providing_args=["comment"])
        contenders[names.OURS] = connected(signal, receivers(count, shape))
        yield contenders

    return setup


@contextmanager
def _one_of_a_thousand_senders() -> Iterator[Mapping[str, Contender]]:
    senders = [Comment, *(type("Other", (), {}) for _ in range(999))]
    contenders = everyone(lambda: receivers(1))
    # psygnal and pluggy have no senders.
    del contenders[names.PSYGNAL], contenders[names.PLUGGY]
    filtered = {
        names.OURS: Signal(),
        names.DJANGO: untouched.Signal(),
        names.CACHING: untouched.Signal(use_caching=True),
    }
    for name, signal in filtered.items():
        kept = receivers(len(senders))
        for receiver, sender in zip(kept, senders, strict=True):
            signal.connect(receiver, sender=sender)
        contenders[name] = sending(signal, keep=(kept, senders))
    yield contenders


def _row(name: str, count: int, at_most: float, shape: Shape = "functions") -> Row:
    budget = Budget(names.OURS, against=names.DJANGO, at_most=at_most)
    return Row(name, timed(_sends(count, shape)), (budget,))


TABLE = Table(
    title="Sending, one keyword",
    unit="× hand",
    baseline=names.HAND,
    columns=(*names.PEERS,),
    rows=(
        _row("no receiver", 0, 0.70),
        _row("1 receiver", 1, 0.28),
        _row("10 receivers", 10, 0.38),
        _row("100 receivers", 100, 0.38),
        _row("1 bound method", 1, 0.30, "methods"),
        _row("10 bound methods", 10, 0.38, "methods"),
        Row("no receiver, payload declared", timed(_declared(0, "functions"))),
        Row("10 receivers, payload declared", timed(_declared(10, "functions"))),
        Row(
            "10 receivers that name what they want, payload declared",
            timed(_declared(10, "named")),
            (Budget(names.OURS, against=names.DJANGO, at_most=0.28),),
        ),
        Row(
            "1 of 1,000 senders",
            timed(_one_of_a_thousand_senders),
            (
                Budget(names.OURS, against=names.DJANGO, at_most=1 / 60),
                Budget(names.OURS, against=names.CACHING, at_most=0.5),
            ),
        ),
    ),
    note=(
        "Receivers are `def r(sender, comment, **kwargs)`. hand is the list comprehension "
        "`[(r, r(signal=s, sender=x, comment=c)) for r in rs]`. "
        "psygnal is its compiled wheel's `emit_fast`: positional arguments, no senders and no list "
        "of responses. pluggy answers with a list of responses without their receivers, and has no "
        "senders."
    ),
)
