"""What one send costs on an adopted signal, beside an untouched copy of Django's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from benchmarks import names
from benchmarks.adopted import at_least, cached_model_pair, crowded_pair, plain_pair
from benchmarks.receivers import model_receivers
from benchmarks.rows import Row, Setup, Table, timed
from benchmarks.timing import Contender


def _setup(pair: Callable[[], Mapping[str, Contender]]) -> Setup:
    @contextmanager
    def setup() -> Iterator[Mapping[str, Contender]]:
        yield pair()

    return setup


def _plain(name: str, count: int, times_as_fast: float) -> Row:
    setup = _setup(lambda: plain_pair(lambda: model_receivers(count)))
    return Row(name, timed(setup), at_least(times_as_fast))


def _cached(count: int) -> Row:
    setup = _setup(lambda: cached_model_pair(lambda: model_receivers(count)))
    return Row(f"ModelSignal, cached, {count}", timed(setup), at_least(1.6))


def _crowded() -> Row:
    setup = _setup(lambda: crowded_pair(lambda: model_receivers(1), others=1_000))
    return Row("Signal(), 1 beside 1,000 other senders", timed(setup), at_least(30))


TABLE = Table(
    title="Adopted: sending, five keywords",
    unit="µs each",
    divisor=1_000,
    columns=(names.ADOPTED, names.UNTOUCHED),
    rows=(
        _plain("no receiver", 0, 1.15),
        *(_plain(f"Signal(), {count}", count, 1.9) for count in (1, 3, 10, 100)),
        *(_cached(count) for count in (1, 3, 10, 100)),
        _crowded(),
    ),
    note=(
        "Receivers are `def r(sender, instance, **kwargs)`. untouched is a second copy of the "
        "installed Django's dispatcher module, in the same process."
    ),
)
