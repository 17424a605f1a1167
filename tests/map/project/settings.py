"""The example blog, whose pages may hold no script or style of their own, and whose mails stay here.

With ``MAP_SIGNALS`` in the environment it has so many signals more.
"""

from config.settings import *  # noqa: F403 - a project's settings
from config.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "tests.map.project.many"]
MIDDLEWARE = ["tests.map.project.policy.strict_policy", *MIDDLEWARE]

if "MAILERS" in globals():
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
