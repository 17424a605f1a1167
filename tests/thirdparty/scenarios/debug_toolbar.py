"""django-debug-toolbar's signals panel lists who is connected, by walking ``receivers``."""

from __future__ import annotations

import functools
from typing import Any

PACKAGE = "django-debug-toolbar"
SETTINGS: dict[str, Any] = {
    "DEBUG": True,
    "INSTALLED_APPS": [
        "django.contrib.contenttypes",
        "django.contrib.staticfiles",
        "debug_toolbar",
    ],
    "ROOT_URLCONF": "tests.thirdparty.scenarios.debug_toolbar_urls",
    "STATIC_URL": "static/",
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    "DEBUG_TOOLBAR_PANELS": ["debug_toolbar.panels.signals.SignalsPanel"],
    "DEBUG_TOOLBAR_CONFIG": {
        "EXTRA_SIGNALS": ["tests.thirdparty.scenarios.debug_toolbar.book_lent"],
        "SHOW_TOOLBAR_CALLBACK": "tests.thirdparty.scenarios.debug_toolbar.always",
    },
}


def prepare() -> None:
    from django.dispatch import Signal

    global book_lent  # noqa: PLW0603 -- made when the order of things is decided
    book_lent = Signal()


def always(request: Any) -> bool:
    return True


class Library:
    def lend(self, **kwargs: Any) -> None: ...

    @classmethod
    def count(cls, **kwargs: Any) -> None: ...

    @staticmethod
    def stamp(**kwargs: Any) -> None: ...


library = Library()


def on_lent(**kwargs: Any) -> None: ...


async def on_lent_later(**kwargs: Any) -> None: ...


def connect() -> None:
    from django.db.models.signals import post_save

    book_lent.connect(on_lent)
    book_lent.connect(on_lent, sender=Library)
    book_lent.connect(library.lend)
    book_lent.connect(Library.count)
    book_lent.connect(Library.stamp, weak=False)
    book_lent.connect(on_lent_later, dispatch_uid="later")
    book_lent.connect(functools.partial(on_lent), weak=False, dispatch_uid="partial")
    dies_soon = Library()
    book_lent.connect(dies_soon.lend)
    post_save.connect(on_lent, sender="contenttypes.ContentType")


def observe() -> dict[str, Any]:
    from debug_toolbar.middleware import DebugToolbarMiddleware
    from debug_toolbar.toolbar import DebugToolbar
    from django.http import HttpResponse
    from django.test import RequestFactory

    book_lent.send(Library)
    toolbars: list[Any] = []
    created = DebugToolbar._created
    created.connect(remember := lambda sender, toolbar, **kwargs: toolbars.append(toolbar))
    page = DebugToolbarMiddleware(lambda request: HttpResponse("<html><body></body></html>"))(
        RequestFactory().get("/")
    )
    created.disconnect(remember)

    panel = toolbars[0].get_panel_by_id("SignalsPanel")
    listed = dict(panel.get_stats()["signals"])
    # A partial shows its address.
    return {
        "in the page": "SignalsPanel" in page.text,
        "subtitle": panel.nav_subtitle(),
        "ours": [name.split(" at 0x")[0] for name in listed["book_lent"]],
        "saved": [name for name in listed["post_save"] if "lent" in name],
        "known": sorted(listed),
        "rendered": "Library.lend" in panel.content,
    }
