"""The settings of a process that a test has started: the test's databases, by their real names.

`SIGNALPOST_TEST_RUN` says whose; `SIGNALPOST_TEST_DATABASE` is the alias that is "default" here.
"""

from __future__ import annotations

import os

from tests.django_settings import *  # noqa: F403
from tests.django_settings import DATABASES

for _database in DATABASES.values():
    if "NAME" in _database.get("TEST", {}):
        _database["NAME"] = _database["TEST"]["NAME"]

DATABASES["default"] = DATABASES[os.environ["SIGNALPOST_TEST_DATABASE"]]
