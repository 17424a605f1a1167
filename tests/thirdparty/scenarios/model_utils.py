"""django-model-utils builds its trackers and monitors on ``class_prepared`` and ``post_init``."""

from __future__ import annotations

from typing import Any

PACKAGE = "django-model-utils"
SETTINGS: dict[str, Any] = {"INSTALLED_APPS": ["tests.thirdparty.apps.tracked_books"]}


def prepare() -> None:
    """Nothing: the package patches nothing."""


def connect() -> None:
    """Nothing: importing the models has connected what the package connects."""


def observe() -> dict[str, Any]:
    from django.db.models.signals import post_init, post_save

    from tests.thirdparty.apps.tracked_books.models import Book, Loan

    changes: list[Any] = []

    def on_save(sender: Any, instance: Any, created: bool, **kwargs: Any) -> None:
        changes.append([created, instance.tracker.changed()])

    post_save.connect(on_save, sender=Book)
    book = Book.objects.create(title="Emma", pages=300)
    first_time = book.retitled_at
    book.pages = 301
    seen = [book.tracker.has_changed("pages"), book.tracker.previous("pages")]
    book.save()
    seen += [book.retitled_at == first_time]
    book.title = "Emma, a novel"
    book.save()
    seen += [book.retitled_at > first_time]

    loaded = Book.objects.get()
    loaded.title = "Persuasion"
    seen += [loaded.tracker.changed(), Book.objects.only("id").get().tracker.changed()]
    Loan.objects.create()
    Loan.objects.create(state="returned", status="returned")
    seen += [Loan.lent.count(), Loan.returned.count(), Loan.timeframed.count()]
    seen += [post_init.has_listeners(Book), post_init.has_listeners(Loan)]
    return {"seen": seen, "changes": changes}
