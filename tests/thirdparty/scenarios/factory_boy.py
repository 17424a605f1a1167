"""factory_boy's ``mute_signals`` swaps the list of receivers and puts it back."""

from __future__ import annotations

from typing import Any

PACKAGE = "factory_boy"
SETTINGS: dict[str, Any] = {"INSTALLED_APPS": ["tests.thirdparty.apps.plain_books"]}

heard: list[str] = []


def prepare() -> None:
    import factory.django  # noqa: F401


def first(sender: Any, instance: Any, **kwargs: Any) -> None:
    heard.append(f"first {instance.title}")


def second(sender: Any, instance: Any, **kwargs: Any) -> None:
    heard.append(f"second {instance.title}")


def connected_while_muted(sender: Any, instance: Any, **kwargs: Any) -> None:
    heard.append(f"while muted {instance.title}")


def connect() -> None:
    from django.db.models.signals import post_save

    from tests.thirdparty.apps.plain_books.models import Book

    post_save.connect(first, sender=Book)
    post_save.connect(second)


def observe() -> dict[str, Any]:
    from django.db.models.signals import post_save, pre_save
    from django.dispatch import Signal
    from factory.django import DjangoModelFactory, mute_signals

    from tests.thirdparty.apps.plain_books.models import Book

    class BookFactory(DjangoModelFactory[Any]):
        class Meta:
            model = Book

    @mute_signals(post_save)
    class MutedFactory(BookFactory):
        pass

    @mute_signals(post_save)
    def create_muted() -> None:
        BookFactory(title="decorated function")

    BookFactory(title="before")
    seen: dict[str, Any] = {"listening": post_save.has_listeners(Book)}
    with mute_signals(pre_save, post_save):
        seen["receivers while muted"] = len(post_save.receivers)
        BookFactory(title="muted")
        post_save.connect(connected_while_muted, sender=Book)
        BookFactory(title="muted, one connected")
        with mute_signals(post_save):
            BookFactory(title="muted twice")
        BookFactory(title="muted once again")
    BookFactory(title="after")
    MutedFactory(title="decorated factory")
    create_muted()
    BookFactory(title="after all")
    seen["order"] = [reference().__name__ for _, reference, *_ in post_save.receivers]
    seen["disconnected"] = [post_save.disconnect(second), post_save.disconnect(first, Book)]
    BookFactory(title="one left")
    seen["heard"] = heard

    plain = Signal()
    plain.connect(answer)
    seen["plain"] = [len(plain.send(None))]
    with mute_signals(plain):
        seen["plain"] += [plain.has_listeners(), plain.send(None), plain.send_robust(None)]
    seen["plain"] += [plain.has_listeners(), len(plain.send(None))]
    return seen


def answer(**kwargs: Any) -> str:
    return "yes"
