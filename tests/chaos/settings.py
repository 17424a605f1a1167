"""The settings of the chaos: one database, which the environment describes."""

from __future__ import annotations

import json
import os

from tests import django_settings

SECRET_KEY = "for the tests only"
USE_TZ = True
INSTALLED_APPS = ["signalpost.django", "tests.chaos"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

#: By what the command calls them, the aliases of the tests' settings.
ALIASES = {"sqlite": "file", "postgresql": "postgres", "mariadb": "mariadb"}

DATABASES = {
    "default": {
        **django_settings.DATABASES[ALIASES[os.environ["SIGNALPOST_CHAOS_DATABASE"]]],
        **json.loads(os.environ.get("SIGNALPOST_CHAOS_PLACE", "{}")),
    }
}
