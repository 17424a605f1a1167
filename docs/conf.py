"""How Sphinx builds the documentation: `make docs`. Nothing is fetched while it builds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import django
from django.conf import settings

_PROJECT = tomllib.loads(
    (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
)["project"]

# autodoc imports signalpost.django, which needs a configured Django.
settings.configure(INSTALLED_APPS=["signalpost.django"])
django.setup()

project = "Signalpost"
author = "Signalpost contributors"
copyright = author  # noqa: A001 - Sphinx wants this name
release = version = _PROJECT["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"Signalpost {release}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True

# Prompts and output aren't copied with the code.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# nitpicky finds a reference to a name of ours that is gone. What others document is theirs, and
# signatures name type variables and aliases that have no page.
nitpicky = True
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(asgiref|asyncio|builtins|collections|contextlib|django|opentelemetry|threading|types|typing)\b.*",
    ),
    (
        r"py:class",
        r"[A-Z]|UUID|datetime|Connectable|ConnectOptions|Receiver|ReceiverOptions|Responses",
    ),
]
