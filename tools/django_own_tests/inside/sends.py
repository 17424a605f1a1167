"""Count the calls of a function, invisibly to what it calls."""

from __future__ import annotations
import __future__

import ast
import inspect
import os
import warnings
from functools import partial, reduce
from operator import or_
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLACEHOLDER = "the counter is put here"
FUTURES = reduce(
    or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)


def tally(path: Path) -> Callable[[], object]:
    """Return a callable that adds one byte to the file at ``path``: its size is the count.

    Appending is atomic between threads and between processes, and an open descriptor survives a
    fork, so the test processes of a parallel run share one count, and a worker that is killed
    loses none of it. The callable has no Python frame.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    return partial(os.write, descriptor, b".")


def count_calls(function: object, tick: Callable[[], object]) -> None:
    """Make ``function`` call ``tick`` at the start of each of its calls.

    A wrapper would add a frame, and Django's tests notice: a warning with a ``stacklevel`` would
    name another file. So the function is compiled again from its own source with one more
    statement in front, on its own first line, and keeps its identity, name, file and line numbers.

    Raises TypeError for anything but a Python function, and RuntimeError where its source isn't
    what it was made from.
    """
    if not isinstance(function, FunctionType):
        message = (
            f"Cannot count the calls of {function!r}: it is a {type(function).__name__}. Expected "
            f"a function written in Python. Count the function that it wraps instead."
        )
        raise TypeError(message)
    old = function.__code__
    new = _with_placeholder(function)
    if new is None or _interface(new) != _interface(old):
        message = (
            f"Cannot count the calls of {function.__qualname__!r} ({old.co_filename}, line "
            f"{old.co_firstlineno}): that source compiles to another function. Expected the file "
            f"as it was imported. Restart after editing it."
        )
        raise RuntimeError(message)
    function.__code__ = new.replace(
        co_consts=tuple(tick if value == PLACEHOLDER else value for value in new.co_consts),
        co_qualname=old.co_qualname,
        co_firstlineno=old.co_firstlineno,
    )


def _interface(code: CodeType) -> tuple[object, ...]:
    arguments = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    return code.co_name, arguments, code.co_varnames, code.co_freevars, code.co_cellvars


def _with_placeholder(function: FunctionType) -> CodeType | None:
    """Return the function's code with a call of the placeholder as its first statement."""
    code = function.__code__
    lines, first_line = inspect.getsourcelines(function)
    # The source of a method is indented: a class around it keeps the columns as they are.
    header = "class _:\n" if lines[0][0].isspace() else ""
    module = ast.parse(header + "".join(lines))
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef)
    definition = next((node for node in ast.walk(module) if isinstance(node, definitions)), None)
    if definition is None:
        return None
    definition.decorator_list.clear()
    call = ast.copy_location(ast.Expr(ast.Call(ast.Constant(PLACEHOLDER), [], [])), definition)
    definition.body.insert(0, ast.fix_missing_locations(call))
    ast.increment_lineno(module, first_line - 1 - header.count("\n"))
    if code.co_freevars:
        module.body = [_function_around(module.body, names=code.co_freevars)]
    with warnings.catch_warnings():
        # The compiler warns that a string can't be called. It is replaced before anyone does.
        warnings.simplefilter("ignore", SyntaxWarning)
        flags = code.co_flags & FUTURES
        compiled = compile(module, code.co_filename, "exec", flags=flags, dont_inherit=True)
    return next((found for found in _all_code(compiled) if PLACEHOLDER in found.co_consts), None)


def _function_around(body: list[ast.stmt], *, names: tuple[str, ...]) -> ast.stmt:
    """Return a function around ``body`` that has ``names`` as locals, so that they are free in it.

    Free variables are matched with a closure's cells by name.
    """
    around = cast("ast.FunctionDef", ast.parse(f"def around({', '.join(names)}): pass").body[0])
    around.body = body
    return around


def _all_code(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_code(constant)
