"""Keeps the questions of an open page out of the development server's log: several a second."""

from __future__ import annotations

import logging

_SERVER = "django.server"
_paths: set[str] = set()


def keep_out_of_log(path: str) -> None:
    """Drop the log's lines on successful requests of that path."""
    if path not in _paths:
        _paths.add(path)
        logging.getLogger(_SERVER).addFilter(_is_wanted)


def _is_wanted(record: logging.LogRecord) -> bool:
    # '"%s" %s %s' with the request's line, the status and the size.
    args = record.args
    if not isinstance(args, tuple) or len(args) < 2:  # noqa: PLR2004 - somebody else's record
        return True
    words = str(args[0]).split(" ")
    asked = words[1].partition("?")[0] if len(words) > 1 else ""
    return asked not in _paths or str(args[1]) != "200"
