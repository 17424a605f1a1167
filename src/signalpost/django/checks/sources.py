"""The receivers that a module would connect, read from its source without importing it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import NamedTuple

from django.dispatch import Signal

from signalpost.dispatch.dialect import is_ours

_DECORATORS = frozenset(
    {
        "django.dispatch.receiver",
        "django.dispatch.dispatcher.receiver",
        "signalpost.receiver",
        "signalpost.dispatch.receiver",
        "signalpost.dispatch.decorators.receiver",
    }
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Written(NamedTuple):
    """A receiver, as the source has it."""

    name: str
    line: int
    #: The decorator, or the name of the signal and its `connect`.
    connected_by: str


def receivers_in(path: Path, module: str) -> list[Written]:
    """The receivers that importing this file as that module would connect, in their order.

    A file that can't be read, or isn't Python, has none.
    """
    try:
        source = path.read_bytes()
        if b"receiver" not in source and b".connect(" not in source:
            return []  # parsing is what takes the time
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError):
        return []
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    statements = list(_statements(tree.body))
    imported = _imported(statements, package)
    return [each for statement in statements for each in _connected(statement, imported)]


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported: not those in functions and classes."""
    for statement in body:
        yield statement
        if not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            for inner in ast.iter_child_nodes(statement):
                if isinstance(inner, ast.stmt):
                    yield from _statements([inner])
                elif isinstance(inner, (ast.ExceptHandler, ast.match_case)):
                    yield from _statements(inner.body)


def _imported(statements: Iterable[ast.stmt], package: str) -> dict[str, str]:
    """What each name that the module imports stands for: ``{"receiver": "signalpost.receiver"}``."""
    names: dict[str, str] = {}
    for statement in statements:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                first = alias.name.partition(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(statement, ast.ImportFrom):
            try:
                home = resolve_name("." * statement.level + (statement.module or ""), package)
            except ImportError:  # beyond the top-level package
                continue
            for alias in statement.names:
                names[alias.asname or alias.name] = f"{home}.{alias.name}"
    return names


def _connected(statement: ast.stmt, imported: dict[str, str]) -> Iterator[Written]:
    if isinstance(statement, _FUNCTIONS):
        for decorator in statement.decorator_list:
            if not isinstance(decorator, ast.Call):
                continue
            if _full_name(decorator.func, imported) in _DECORATORS:
                yield Written(statement.name, statement.lineno, f"@{ast.unparse(decorator)}")
    elif isinstance(statement, ast.Expr) and isinstance(call := statement.value, ast.Call):
        function = call.func
        if not isinstance(function, ast.Attribute) or function.attr != "connect" or not call.args:
            return
        if _is_signal(_full_name(function.value, imported)):
            yield Written(ast.unparse(call.args[0]), statement.lineno, ast.unparse(function))


def _full_name(node: ast.expr, imported: dict[str, str]) -> str:
    """The dotted path of what an expression names: "" where it isn't a name, or not an import."""
    name, dot, rest = ast.unparse(node).partition(".")
    return f"{imported[name]}{dot}{rest}" if name in imported else ""


def _is_signal(name: str) -> bool:
    """Whether that is a signal, in a module that is imported already."""
    module, _, attribute = name.rpartition(".")
    found = getattr(sys.modules.get(module), attribute, None) if module else None
    return isinstance(found, Signal) or is_ours(found)
