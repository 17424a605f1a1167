"""The Django project that the tests run in.

Listing ``signalpost.django`` adopts ``django.dispatch`` for the whole process. A test that needs
Django's own dispatcher beside ours loads a second copy of its module.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path

import django

# The databases of one run of the tests; the processes that a test starts are told which they are.
RUN = os.environ.get("SIGNALPOST_TEST_RUN") or str(os.getpid())

SECRET_KEY = "for the tests only"
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "signalpost.django",
    # The app of examples/blog, which the documentation speaks of.
    "blog",
    "tests.store",
]

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    "second": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    # A file, which threads and processes share as a project's would be.
    "file": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "unused.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=normal;",
        },
        "TEST": {"NAME": str(Path(tempfile.gettempdir(), f"test_signalpost_{RUN}.sqlite3"))},
    },
    "postgres": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "HOST": "127.0.0.1",
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        # Of its own, so that several runs on one machine don't meet.
        "TEST": {"NAME": f"test_signalpost_{RUN}"},
    },
}
# Its driver is compiled, so it isn't everywhere.
if importlib.util.find_spec("MySQLdb"):
    DATABASES["mariadb"] = {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "test",
        "HOST": "127.0.0.1",
        "USER": os.environ.get("MYSQL_USER", "root"),
        "PASSWORD": os.environ.get("MYSQL_PASSWORD", ""),
        "TEST": {"NAME": f"test_signalpost_{RUN}", "CHARSET": "utf8mb4"},
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Django 6.1 deprecates the EMAIL_* settings.
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
