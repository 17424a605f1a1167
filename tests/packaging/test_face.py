"""The public face: what ``__all__`` lists is all there is, and all of it is documented."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import signalpost

DIRECTIVE = re.compile(
    r"^\.\. auto(?:class|function|exception|data|decorator):: signalpost\.(?P<name>\w+)$",
    re.MULTILINE,
)


def test_face_equals_all() -> None:
    public = {
        name
        for name, value in vars(signalpost).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    } - {"annotations", "TYPE_CHECKING"}
    late = {"current_context", "mute", "signal_context"}  # imported when they are first asked for
    assert all(hasattr(signalpost, name) for name in late)

    assert sorted(public | late) == sorted(signalpost.__all__)


def test_each_name_is_documented_once(checkout: Path) -> None:
    pages = sorted((checkout / "docs" / "reference").rglob("*.md"))
    documented = [
        name for page in pages for name in DIRECTIVE.findall(page.read_text(encoding="utf-8"))
    ]

    assert sorted(documented) == sorted(signalpost.__all__)


def test_each_name_and_each_public_method_has_a_docstring() -> None:
    things = {name: getattr(signalpost, name) for name in signalpost.__all__}
    methods = {
        f"{owner.__name__}.{name}": member
        for owner in things.values()
        if isinstance(owner, type)
        for name, member in vars(owner).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }

    assert [name for name, thing in {**things, **methods}.items() if not thing.__doc__] == []


def test_importing_it_imports_neither_django_nor_asgiref() -> None:
    program = (
        "import sys, signalpost;"
        "print(sorted({'django', 'asgiref', 'asyncio', 'importlib.metadata'} & set(sys.modules)))"
    )

    printed = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert printed.strip() == "[]"
