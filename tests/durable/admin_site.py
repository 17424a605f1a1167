"""A project with the admin, who works there, and deliveries in all states for them to look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.test import Client, override_settings
from django.urls import clear_url_caches

from signalpost import Signal
from signalpost.delivery.store import Beat
from signalpost.django.models import Delivery, Message, Worker
from signalpost.django.stores import store_for

paid = Signal(name="tests.admin.paid")

SITE: dict[str, Any] = {
    "ROOT_URLCONF": "tests.durable.admin_urls",
    # No CSRF middleware: the admin has to see to it by itself.
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    # No table is needed.
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "MESSAGE_STORAGE": "django.contrib.messages.storage.cookie.CookieStorage",
    "STATIC_URL": "/static/",
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        },
    ],
}
ADMIN = ["django.contrib.admin", "django.contrib.sessions", "django.contrib.messages"]


@contextmanager
def admin_installed() -> Iterator[None]:
    """The admin is installed, with its log."""
    with (
        override_settings(**SITE),
        override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, *ADMIN]),
    ):
        log = apps.get_model("admin", "LogEntry")
        clear_url_caches()
        with connections["default"].schema_editor() as editor:
            editor.create_model(log)
        try:
            yield
        finally:
            log.objects.all().delete()
            apps.get_model("auth", "User").objects.all().delete()
            with connections["default"].schema_editor() as editor:
                editor.delete_model(log)
    clear_url_caches()


class Staff:
    """Somebody who looks at the deliveries of a database."""

    def __init__(self, alias: str, client: Client, user: Any) -> None:
        self.alias = alias
        self.client = client
        self.user = user

    def address(self, name: str = "", model: str = "delivery") -> str:
        return f"/{self.alias}/signalpost/{model}/{name}"

    def open(self, name: str = "", model: str = "delivery") -> str:
        """The text of a page."""
        answer = self.client.get(self.address(name, model))
        assert answer.status_code == 200, answer
        return answer.content.decode()

    def status(self, name: str = "", model: str = "delivery", /, **posted: Any) -> int:
        """What becomes of a request; with arguments it posts them."""
        address = self.address(name, model)
        answer = self.client.post(address, posted) if posted else self.client.get(address)
        return int(answer.status_code)

    def operate(self, operation: str, *ids: Any, model: str = "delivery") -> str:
        """Do it to these, confirmed; what the user is told."""
        posted = {"ids": ",".join(map(str, ids)), "confirmed": "yes"}
        answer = self.client.post(self.address(f"{operation}/", model), posted, follow=True)
        assert answer.status_code == 200, answer
        return told(answer.content.decode())


def told(page: str) -> str:
    """The messages of a page."""
    found = re.search(r'<ul class="messagelist">(.*?)</ul>', page, re.DOTALL)
    return words(found[1]) if found else ""


def words(page: str) -> str:
    """The text of a piece of a page, without its elements."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def staff(alias: str, *permissions: str, **options: Any) -> Staff:
    """Somebody with these permissions; with none of ours, if none are given."""
    users, known = apps.get_model("auth", "User"), apps.get_model("auth", "Permission")
    user = users.objects.create_user(f"user{users.objects.count()}", is_staff=True)
    found = known.objects.filter(codename__in=permissions, content_type__app_label="signalpost")
    assert len(found) == len(permissions)
    user.user_permissions.set(found)
    client = Client(**options)
    client.force_login(user)
    return Staff(alias, client, user)


def boss(alias: str, **options: Any) -> Staff:
    """Somebody who may do everything."""
    user = apps.get_model("auth", "User").objects.create_superuser("boss")
    client = Client(**options)
    client.force_login(user)
    return Staff(alias, client, user)


def log() -> list[tuple[str, str, str]]:
    """What the admin has noted: of whom, of what, and what was done."""
    entries = apps.get_model("admin", "LogEntry").objects.order_by("id")
    return [(e.user.username, e.object_repr, e.get_change_message()) for e in entries]


def outcome_of(page: str) -> str:
    """What a page says between its title and its end."""
    return words(page.split('<div id="content-main">')[1].split("<script", 1)[0])


def rows(alias: str) -> Any:
    return Delivery._base_manager.using(alias).order_by("id")


def states(alias: str) -> list[str]:
    return list(rows(alias).values_list("state", flat=True))


def owed(alias: str, count: int = 1, **columns: Any) -> list[int]:
    """Send so often, and have the deliveries look like that; their ids."""
    before = set(rows(alias).values_list("id", flat=True))
    for number in range(count):
        paid.send(sender=None, number=number, using=alias)
    mine = rows(alias).exclude(id__in=before)
    if columns:
        mine.update(**columns)
    return list(mine.values_list("id", flat=True))


def working(alias: str, name: str = "w@host:1", **columns: Any) -> str:
    """A worker that has just told that it lives; its name."""
    store_for(alias).beat(Beat(name, "host", 1, "0.1", ["mail"], {"done": 3}))
    if columns:
        Worker._base_manager.using(alias).filter(name=name).update(**columns)
    return name


def change_message(alias: str, **columns: Any) -> None:
    Message._base_manager.using(alias).update(**columns)
