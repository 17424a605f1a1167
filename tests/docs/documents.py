"""Run the examples of a Markdown page, by the conventions that CONTRIBUTING.md states.

Sybil finds the blocks and evaluates them. What is ours is the block that stands for a file.
"""

from __future__ import annotations

import doctest
import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from unittest import SkipTest

from sybil import Document, Example, Region
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.evaluators.python import PythonEvaluator, pad
from sybil.evaluators.skip import Skipper
from sybil.parsers.abstract import DocTestStringParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer
from sybil.parsers.myst import CodeBlockParser, SkipParser

# The app that a file without a folder belongs to: `# receivers.py` is the blog's.
DEFAULT_APP = "blog"

_FILE_NAME = re.compile(r"# (?P<path>(?:\w+/)*\w+)\.py\n")

_run_in_page = PythonEvaluator()
_find_sessions = DocTestStringParser(DocTestEvaluator(doctest.ELLIPSIS))


def run(path: Path) -> int:
    """Run the examples of one page from top to bottom, in one namespace; return how many ran."""
    files = _Files()
    blocks = CodeBlockParser("python", files.run_block)
    document = Document.parse(str(path), blocks, _sessions, SkipParser())
    document.namespace["__name__"] = "__main__"
    ran = 0
    try:
        for example in document.examples():
            try:
                example.evaluate()
            except SkipTest:
                continue
            ran += not isinstance(example.region.evaluator, Skipper)
    finally:
        files.remove()
    return ran


def languages(path: Path) -> list[str]:
    """The language, or the MyST directive in braces, of each fenced block of one page."""
    document = Document(path.read_text(encoding="utf-8"), str(path))
    blocks = FencedCodeBlockLexer(language="[^\n]*")(document)
    return [block.lexemes["language"].strip() for block in blocks]


def _sessions(document: Document) -> Iterable[Region]:
    for block in CodeBlockParser("pycon", _run_in_page)(document):
        for region in _find_sessions(block.parsed, document.path):
            region.adjust(block, block.parsed)
            yield region


class _Files:
    """The modules that one page's blocks stand for."""

    def __init__(self) -> None:
        # What sys.modules held under their names before.
        self._before: dict[str, ModuleType | None] = {}

    def run_block(self, example: Example) -> None:
        """Run a block in the page's namespace, or as the module that its first line names."""
        file_name = _FILE_NAME.match(example.parsed)
        if file_name is None:
            _run_in_page(example)
            return
        parts = file_name["path"].split("/")
        package = ".".join(parts[:-1]) or DEFAULT_APP
        self._ensure_package(package)
        module = ModuleType(f"{package}.{parts[-1]}")
        module.__package__ = package
        # First of all, as an import does: what runs may ask for its own module.
        self._put(module)
        source = pad(example.parsed, example.line + example.parsed.line_offset)
        exec(compile(source, example.path, "exec", dont_inherit=True), module.__dict__)

    def remove(self) -> None:
        """Leave sys.modules as it was, but for what the page imported."""
        for name, before in self._before.items():
            if before is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = before

    def _ensure_package(self, name: str) -> None:
        """Import a package, or make one without files for a page that invents it."""
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            package = ModuleType(name)
            package.__path__ = []
            self._put(package)

    def _put(self, module: ModuleType) -> None:
        self._before.setdefault(module.__name__, sys.modules.get(module.__name__))
        sys.modules[module.__name__] = module
