"""django-simple-history writes its records from receivers, some connected during a send."""

from __future__ import annotations

from typing import Any

PACKAGE = "django-simple-history"
SETTINGS: dict[str, Any] = {
    "INSTALLED_APPS": [
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "simple_history",
        "tests.thirdparty.apps.historical_books",
    ],
    "MIGRATION_MODULES": {"auth": None, "contenttypes": None},
}

heard: list[str] = []


def prepare() -> None:
    """Nothing: the package patches nothing."""


def connect() -> None:
    from simple_history import signals

    from tests.thirdparty.apps.historical_books.models import Book

    signals.pre_create_historical_record.connect(before_record)
    signals.post_create_historical_record.connect(after_record, sender=Book.history.model)
    signals.post_create_historical_m2m_records.connect(after_authors)


def before_record(sender: Any, instance: Any, history_instance: Any, **kwargs: Any) -> None:
    history_instance.history_change_reason = f"about {instance.title}"
    heard.append(f"before {history_instance.history_type}")


def after_record(sender: Any, history_instance: Any, **kwargs: Any) -> None:
    heard.append(f"after {history_instance.history_type} {sorted(kwargs)}")


def after_authors(sender: Any, rows: Any = None, created_rows: Any = None, **kwargs: Any) -> None:
    heard.append(f"authors {len(created_rows)}")


def observe() -> dict[str, Any]:
    from tests.thirdparty.apps.historical_books.models import Author, Book

    book = Book.objects.create(title="Emma")
    book.title = "Emma, a novel"
    book.save()
    book.save_without_historical_record()
    book.authors.add(Author.objects.create(name="Jane"), Author.objects.create(name="Anon"))
    book.authors.remove(Author.objects.get(name="Anon"))
    key = book.pk
    book.delete()
    records = Book.history.filter(id=key).order_by("history_id")
    return {
        "records": [
            [record.history_type, record.title, record.history_change_reason] for record in records
        ],
        "authors": [record.authors.count() for record in records],
        "diff": [change.field for change in records[1].diff_against(records[0]).changes],
        "heard": heard,
    }
