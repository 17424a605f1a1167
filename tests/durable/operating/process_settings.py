"""The settings of the processes: the test's database is "default", and the shop is installed."""

from __future__ import annotations

from tests.process_settings import *  # noqa: F403
from tests.process_settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.durable.operating.shop"]
