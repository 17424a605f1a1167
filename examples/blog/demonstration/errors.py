"""The one error that the demo shows as a line instead of a traceback."""

from __future__ import annotations


class DemoError(Exception):
    """The demo can't go on, or didn't do what it promises; the message says why and what to do."""
