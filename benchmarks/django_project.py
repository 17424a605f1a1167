"""Django configured as far as the tables need it: no apps, one SQLite database in memory."""

from __future__ import annotations

import django
from django.conf import settings


def set_up_django() -> None:
    """Configure Django in this process, once."""
    if settings.configured:
        return
    settings.configure(
        DEBUG=False,
        INSTALLED_APPS=[],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        USE_TZ=True,
    )
    django.setup()
