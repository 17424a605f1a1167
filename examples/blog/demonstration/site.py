"""The blog itself, served over HTTP from a thread of this process."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import django
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections

from demonstration.ports import port_error

HOST = "127.0.0.1"
PORTS_TO_TRY = 100


@contextmanager
def blog_ready(settings: str, *, database: Path, smtp_port: int) -> Iterator[None]:
    """Set Django up for a blog in a new database that mails to `smtp_port` on this machine.

    Processes that are started from now on are set up so too.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    os.environ["BLOG_DATABASE"] = str(database)
    os.environ["EMAIL_HOST"] = HOST
    os.environ["EMAIL_PORT"] = str(smtp_port)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    try:
        yield
    finally:
        connections.close_all()


def create_admin() -> tuple[str, str]:
    """Return the name and the password, made up now, of somebody who may use Django's admin."""
    name, password = "admin", secrets.token_urlsafe(6)
    get_user_model().objects.create_superuser(name, password=password)
    return name, password


class Site:
    """The blog on the first free port from `port` on, served as `runserver` would, while entered."""

    def __init__(self, port: int) -> None:
        self.wanted_port = port
        self._server = _bind(port)
        self._server.set_app(StaticFilesHandler(get_wsgi_application()))
        # The screen tells what happens, and the browser shows Django's error page: no access log,
        # no second traceback. Not earlier: making the application sets logging up afresh.
        for name in ("django.server", "django.request"):
            logging.getLogger(name).disabled = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://{HOST}:{self.port}/"
        self.is_where_asked = port in {0, self.port}
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="site", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _bind(port: int) -> ThreadedWSGIServer:
    # Above port + 99 nobody would look for the site; 0 is any free port, so there is nothing else to try.
    candidates = range(port, min(port + PORTS_TO_TRY, 65_536)) if port else (0,)
    for candidate in candidates:
        try:
            return ThreadedWSGIServer((HOST, candidate), WSGIRequestHandler)
        except OSError as error:
            problem = error
    raise port_error(problem, port=port, server="site", setting="PORT") from problem
