"""Settings of the example blog: for one machine, never for the internet.

Environment:

- `SECRET_KEY`: none is kept in the repository; without one, each process makes its own.
- `BLOG_DATABASE`: the SQLite file; `db.sqlite3` beside `manage.py` without it.
- `BLOG_DEBUG`: `0` turns Django's debug pages off.
- `EMAIL_HOST`, `EMAIL_PORT`: the SMTP server; 127.0.0.1:1025 without them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("SECRET_KEY") or get_random_secret_key()
DEBUG = os.environ.get("BLOG_DEBUG", "1") != "0"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # Gives django.dispatch Signalpost's dispatcher, and imports blog/receivers.py: nothing else does.
    "signalpost.django",
    "blog",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("BLOG_DATABASE") or BASE_DIR / "db.sqlite3",
        "OPTIONS": {
            # Two readers may comment at the same moment: the second waits instead of failing.
            "timeout": 10,
            "transaction_mode": "IMMEDIATE",
            # Nobody who reads waits for one who writes, and no commit waits for the disk.
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SMTP_HOST = os.environ.get("EMAIL_HOST") or "127.0.0.1"
SMTP_PORT = int(os.environ.get("EMAIL_PORT") or 1025)
SMTP_TIMEOUT_SECONDS = 10

# Django 6.1 deprecates the EMAIL_* settings and refuses them beside MAILERS.
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": SMTP_HOST, "port": SMTP_PORT, "timeout": SMTP_TIMEOUT_SECONDS},
        }
    }
else:
    EMAIL_HOST = SMTP_HOST
    EMAIL_PORT = SMTP_PORT
    EMAIL_TIMEOUT = SMTP_TIMEOUT_SECONDS

STATIC_URL = "static/"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
