"""The three kinds of contender: a statement, an awaited statement, and a batch to be undone.

Each contender's loop is compiled anew from its text. A loop shared by two contenders would share
the interpreter's inline caches too, and each would pay for the other's types.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import repeat
from typing import Any, cast

_LOOP = """
{define} loop(times, clock):
    start = clock()
    for item in times:
        {statement}
    return clock() - start
"""

# Time on the processor, where the clock is fine enough: what others do with the machine's cores
# doesn't count. Where it isn't (Windows counts in 15 ms), the time of day has to do.
_IS_FINE = time.get_clock_info("thread_time").resolution < 1e-6
_CLOCK: Callable[[], int] = time.thread_time_ns if _IS_FINE else time.perf_counter_ns

# A plan may be generated only after some sends, and the interpreter specialises after some runs.
_WARM_CALLS = 300
_WARM_NS = 30_000_000


def _compiled_loop(define: str, statement: str, namespace: Mapping[str, object]) -> Any:
    scope: dict[str, Any] = dict(namespace)
    source = _LOOP.format(define=define, statement=statement)
    exec(compile(source, f"<benchmark: {statement}>", "exec"), scope)  # noqa: S102 - our own text
    return scope["loop"]


class _Repeated:
    """A loop that runs as often as fills one sample."""

    def __init__(self) -> None:
        self._number = 1

    def _nanoseconds(self, number: int) -> int:
        raise NotImplementedError

    def warm_up(self, sample_ns: int) -> None:
        calls = spent = 0
        while calls < _WARM_CALLS and spent < _WARM_NS:
            spent += self._nanoseconds(self._number)
            calls += self._number
        while (taken := self._nanoseconds(self._number)) < sample_ns:
            missing = sample_ns / max(taken, 1)
            self._number = max(self._number + 1, int(self._number * min(missing, 10)))

    def sample(self) -> float:
        return self._nanoseconds(self._number) / self._number


class Statement(_Repeated):
    """A statement run in a loop, its names taken from `namespace`."""

    def __init__(self, statement: str, **namespace: object) -> None:
        super().__init__()
        loop = _compiled_loop("def", statement, namespace)
        self._loop = cast("Callable[[Iterable[None], Callable[[], int]], int]", loop)

    def _nanoseconds(self, number: int) -> int:
        return self._loop(repeat(None, number), _CLOCK)


class AsyncStatement(_Repeated):
    """A statement with `await` in it, run in a loop inside one coroutine of `runner`'s event loop."""

    def __init__(self, runner: asyncio.Runner, statement: str, **namespace: object) -> None:
        super().__init__()
        self._runner = runner
        loop = _compiled_loop("async def", statement, namespace)
        self._loop = cast("Callable[[Iterable[None], Callable[[], int]], Awaitable[int]]", loop)

    def _nanoseconds(self, number: int) -> int:
        async def measured() -> int:
            return await self._loop(repeat(None, number), _CLOCK)

        return self._runner.run(measured())


class Batch:
    """A statement run once for each item and undone outside the clock, so that each pass finds the
    same state. The best of several passes counts: the first one finds cold caches."""

    def __init__(
        self,
        statement: str,
        *,
        items: list[Any],
        undo: Callable[[Any], object],
        passes: int,
        **namespace: object,
    ) -> None:
        self._items = items
        self._undo = undo
        self._passes = passes
        loop = _compiled_loop("def", statement, namespace)
        self._loop = cast("Callable[[Iterable[Any], Callable[[], int]], int]", loop)

    def warm_up(self, sample_ns: int) -> None:
        self.sample()

    def sample(self) -> float:
        return min(self._pass() for _ in range(self._passes)) / len(self._items)

    def _pass(self) -> int:
        taken = self._loop(self._items, _CLOCK)
        for item in self._items:
            self._undo(item)
        return taken


class Growth:
    """A statement run once for each of many items, on a state made anew for each sample.

    A sample is the mean of all of them. It takes long, and something else will run meanwhile: so
    each thousand is timed for itself, in three runs, and the fastest of the three counts.
    """

    def __init__(
        self, statement: str, *, items: list[Any], make: Callable[[], Mapping[str, object]]
    ) -> None:
        self._thousands = [items[at : at + 1_000] for at in range(0, len(items), 1_000)]
        self._count = len(items)
        self._make = make
        self._loop = _compiled_loop("def", statement, {})

    def warm_up(self, sample_ns: int) -> None:
        self._grow()

    def sample(self) -> float:
        runs = [self._grow() for _ in range(3)]
        fastest: int = sum(map(min, *runs))
        return fastest / self._count

    def _grow(self) -> list[int]:
        self._loop.__globals__.update(self._make())
        return [self._loop(items, _CLOCK) for items in self._thousands]
