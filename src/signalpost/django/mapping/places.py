"""Which line of the project is to thank for a send."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import FrameType

from signalpost.listing import relative

# Passed on the way from the line to the signal: nobody asks for these.
_DISPATCHERS = ("signalpost.", "django.dispatch.")
# What is above it has called Django, which has called the view: it sends nothing itself.
_REQUESTS = ("django.core.handlers.", "django.test.client")


def sent_from() -> str | None:
    """``"blog/views.py:10 in add_comment"``: the nearest line that isn't Django's or Python's.

    The line of Django that sends, where there is no other.
    """
    frame: FrameType | None = sys._getframe(1)
    sender: FrameType | None = None
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith(_DISPATCHERS):
            sender = sender or frame
            if module.startswith(_REQUESTS):
                break
            if module.partition(".")[0] not in _OF_OTHERS:
                sender = frame
                break
        frame = frame.f_back
    if sender is None:
        return None
    code = sender.f_code
    return f"{_file(code.co_filename)}:{sender.f_lineno} in {code.co_name}"


_OF_OTHERS = sys.stdlib_module_names | {"django", "asgiref"}


@lru_cache(maxsize=1_000)
def _file(name: str) -> str | None:
    return relative(name)
