"""``manage.py signalpost``: a command for each thing that is seen and done."""

from __future__ import annotations

from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandParser

from signalpost.django.management.subcommands import add_subcommands


class Command(BaseCommand):
    """Django's command; what it does is in `signalpost.django.management.subcommands`."""

    help = "See the signals of this project; run and look after its durable deliveries."
    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """One parser for each subcommand."""
        add_subcommands(parser.add_subparsers(dest="subcommand", required=True))

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the subcommand says."""
        options["run"](self, options)
