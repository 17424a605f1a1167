"""Settings of the blog whose mails are durable: those of `config.settings`, and what that takes.

`python manage.py signalpost worker --settings config.durable` sends the mails.
"""

from __future__ import annotations

from config.settings import *  # noqa: F403 - as settings are extended
from config.settings import DATABASES as _DATABASES
from config.settings import INSTALLED_APPS as _INSTALLED_APPS

# outbox/receivers.py has the one keyword, durable=True.
INSTALLED_APPS = [*_INSTALLED_APPS, "outbox"]

DATABASES = {
    "default": {
        **_DATABASES["default"],
        # A request is one transaction: the comment and the mail that is owed for it are both there
        # or neither, wherever the process is killed.
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {
            # Whoever writes says so when the transaction begins, and waits for the others.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL, unlike in config.settings: a commit waits for the disk, so that a power cut loses none.
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
        },
    }
}
