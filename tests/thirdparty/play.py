"""Play one scenario in this process and print what was observed: play.py SCENARIO ORDER.

Adoption is for a whole process, and so is what the packages do to Django's class: each order of
the two takes a process of its own.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

ALONE = "alone"
ORDERS = {
    ALONE: "Django's own dispatcher",
    "adopted first": "adoption, then the package is imported",
    "adopted last": "the package has patched and connected, then adoption",
    "app listed": "the package is set up in the settings, and adoption as an installed app",
}


def play(scenario: Any, order: str) -> dict[str, Any]:
    """Return what the scenario observed, and whether the dispatcher was ours meanwhile."""
    apps = ["signalpost.django"] if order == "app listed" else []
    installed = [*scenario.SETTINGS.get("INSTALLED_APPS", []), *apps]
    memory = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    given = {"DATABASES": {"default": memory}, "USE_TZ": True, "SECRET_KEY": "for the tests only"}
    given["DEFAULT_AUTO_FIELD"] = "django.db.models.BigAutoField"
    settings.configure(**{**given, **scenario.SETTINGS, "INSTALLED_APPS": installed})

    if order == "adopted first":
        adopt()
    scenario.prepare()
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    scenario.connect()
    if order == "adopted last":
        adopt()
    return {"observed": scenario.observe(), "adopted": is_adopted()}


def adopt() -> None:
    from signalpost.django import adopt as adopt_dispatch

    adopt_dispatch()


def is_adopted() -> bool:
    from django.dispatch import Signal

    # By its globals: a method may carry Django's module name, which Django's checks look at.
    return str(Signal.send.__globals__["__name__"]).startswith("signalpost")


if __name__ == "__main__":
    name, chosen = sys.argv[1:]
    played = play(importlib.import_module(f"tests.thirdparty.scenarios.{name}"), chosen)
    print(json.dumps(played))
