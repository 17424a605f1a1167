"""``--database``: where the deliveries are, and whether there can be any."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from signalpost.django.operating.databases import missing_tables
from signalpost.django.operating.keys import nearest
from signalpost.django.stores import store_for
from signalpost.exceptions import RecordingError


def add_database(parser: Any) -> None:
    """Add the option."""
    parser.add_argument(
        "--database",
        default=DEFAULT_DB_ALIAS,
        metavar="ALIAS",
        help='The database that the deliveries are in. Default: "default".',
    )


def known_alias(options: dict[str, Any]) -> str:
    """The alias that was given. Raises a CommandError where DATABASES has none such."""
    alias = str(options["database"])
    if alias not in connections:
        near = nearest(alias, list(connections))
        question = f" Did you mean '{near}'?" if near else ""
        raise CommandError(
            f"--database {alias} is none of DATABASES, which has {', '.join(connections)}.{question}"
        )
    return alias


def usable_alias(options: dict[str, Any]) -> str:
    """The alias that was given. Raises a CommandError where no deliveries can be in that database."""
    alias = known_alias(options)
    try:
        store_for(alias)
        missing = missing_tables(alias)
    except RecordingError as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        text = str(error).strip().partition("\n")[0]
        raise CommandError(f"Database '{alias}' can't be reached: {text}") from error
    if missing:
        raise CommandError(
            f"Database '{alias}' has no tables for durable deliveries. Make them: "
            f"manage.py migrate signalpost --database {alias}"
        )
    return alias
