"""Counting sends must not be noticed by what is counted."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import warnings
from pathlib import Path

import pytest
from django_own_tests.inside.sends import count_calls, tally


class Base:
    def greet(self, name: str, *, mark: str = "!") -> str:
        return f"{name}{mark}"


class Sample(Base):
    """Its methods are changed by the tests, each its own."""

    def depth(self) -> int:
        """Say how many frames are below."""
        frame, depth = sys._getframe(), 0
        while frame := frame.f_back:
            depth += 1
        return depth

    def where(self) -> tuple[str, int, str]:
        frame = sys._getframe()
        return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname

    def greet(self, name: str, *, mark: str = "?") -> str:
        return super().greet(name, mark=mark) + __class__.__name__  # type: ignore[name-defined]

    def with_cells(self, names: list[str]) -> list[str]:
        def greet(name: str) -> str:
            return self.__class__.__name__ + name

        return [greet(name) for name in names]

    async def later(self) -> str:
        await asyncio.sleep(0)
        return "late"

    def warn(self) -> None:
        warnings.warn("from the caller", UserWarning, stacklevel=2)

    def fail(self) -> None:
        raise LookupError("as before")

    def threaded(self) -> None:
        """Nothing."""


def enclosed(greeting: str) -> object:
    def greet(name: str) -> str:
        return f"{greeting} {name}"

    return greet


def test_every_call_is_counted_and_returns_what_it_did() -> None:
    calls: list[None] = []
    count_calls(Sample.greet, lambda: calls.append(None))

    assert [Sample().greet("a"), Sample().greet(name="b", mark=".")] == ["a?Sample", "b.Sample"]
    assert len(calls) == 2


def test_counting_adds_no_frame_and_moves_no_line() -> None:
    before = Sample().depth(), Sample().where()
    function = Sample.where
    calls: list[None] = []

    count_calls(Sample.depth, lambda: calls.append(None))
    count_calls(Sample.where, lambda: calls.append(None))

    assert (Sample().depth(), Sample().where()) == before
    assert Sample.where is function
    assert Sample.depth.__doc__ == "Say how many frames are below."
    assert len(calls) == 2


def test_a_warning_names_the_line_that_it_named_before() -> None:
    count_calls(Sample.warn, lambda: None)

    with pytest.warns(UserWarning, match="from the caller") as caught:
        Sample().warn()

    assert caught[0].filename == __file__


def test_a_traceback_shows_the_line_that_raised() -> None:
    count_calls(Sample.fail, lambda: None)

    with pytest.raises(LookupError, match="as before") as raised:
        Sample().fail()

    assert str(raised.traceback[-1].statement).strip() == 'raise LookupError("as before")'


def test_a_function_with_cells_is_counted() -> None:
    calls: list[None] = []
    count_calls(Sample.with_cells, lambda: calls.append(None))

    assert Sample().with_cells(["1", "2"]) == ["Sample1", "Sample2"]
    assert len(calls) == 1


def test_a_closure_keeps_its_cells() -> None:
    calls: list[None] = []
    greet = enclosed("good morning")
    count_calls(greet, lambda: calls.append(None))

    assert greet("sun") == "good morning sun"  # type: ignore[operator]
    assert len(calls) == 1


def test_a_coroutine_function_is_counted_when_it_runs() -> None:
    calls: list[None] = []
    count_calls(Sample.later, lambda: calls.append(None))

    assert asyncio.run(Sample().later()) == "late"
    assert len(calls) == 1


def test_counting_again_replaces_the_counter() -> None:
    first: list[None] = []
    count_calls(Base.greet, lambda: first.append(None))

    second: list[None] = []
    count_calls(Base.greet, lambda: second.append(None))
    Base().greet("a")

    # Compiled from the source again: the last counter is the one that counts.
    assert (len(first), len(second)) == (0, 1)


def test_threads_lose_no_count(tmp_path: Path) -> None:
    count_calls(Sample.threaded, tally(tmp_path / "count"))

    def call_often() -> None:
        for _ in range(500):
            Sample().threaded()

    threads = [threading.Thread(target=call_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (tmp_path / "count").stat().st_size == 2000


@pytest.mark.parametrize("callable_", [len, functools.partial(print), Sample])
def test_what_is_no_python_function_is_refused(callable_: object) -> None:
    with pytest.raises(TypeError, match="Expected a function written in Python"):
        count_calls(callable_, lambda: None)


def test_a_source_that_has_changed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "edited.py"
    file.write_text("def send(self): return 1\n", encoding="utf-8")
    namespace: dict[str, object] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), namespace)
    file.write_text("def other(self, more): return 2\n", encoding="utf-8")

    with pytest.raises(RuntimeError, match="compiles to another function"):
        count_calls(namespace["send"], lambda: None)
