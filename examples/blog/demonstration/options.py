"""What the environment asks of the demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demonstration.errors import DemoError

LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Options:
    """`once`: exit after the first comment. A port of 0 means any free one."""

    once: bool
    http_port: int
    smtp_port: int
    #: Show what becomes of the mail if its server is down.
    durable: bool = False


def read_options(environ: Mapping[str, str]) -> Options:
    """Return what `ONCE`, `DURABLE`, `PORT`, `EMAIL_PORT` say; raise DemoError for a wrong value."""
    return Options(
        once=_switch(environ, "ONCE"),
        http_port=_port(environ, "PORT", default=8000),
        smtp_port=_port(environ, "EMAIL_PORT", default=0),
        durable=_switch(environ, "DURABLE"),
    )


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "")
    if value not in {"", "0", "1"}:
        raise DemoError(
            f"{name} is {value!r} in the environment: expected 1 or 0. Set one of them, or unset {name}."
        )
    return value == "1"


def _port(environ: Mapping[str, str], name: str, *, default: int) -> int:
    value = environ.get(name, "")
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and int(value) <= LAST_PORT):
        raise DemoError(
            f"{name} is {value!r} in the environment: expected a port from 0 to {LAST_PORT}. Set one, or unset {name}."
        )
    return int(value)
