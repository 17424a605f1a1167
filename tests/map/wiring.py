"""Signals and receivers to be drawn, with names and texts that try to break out of the page."""

from __future__ import annotations

from typing import Any

import signalpost

HOSTILE = '"><script>alert("x")</script>'

paid = signalpost.Signal(providing_args=["order"], doc="An order was paid.")
quiet = signalpost.Signal(doc="Nobody listens.")
hostile = signalpost.Signal(name=HOSTILE, doc=HOSTILE)


class Order:
    pass


def ship(**kwargs: Any) -> None: ...


async def mail_receipt(order: Any) -> None: ...


def reserve(order: Any) -> None:
    hostile.send(sender=None)


def fail(**kwargs: Any) -> None:
    raise ValueError("no")
