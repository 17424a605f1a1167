"""Problems of Django's signals, each shown on Django alone: python plain_django.py ENGINE NAME.

Signalpost isn't imported. Prints the names of the problems that were met, as JSON. The tests beside
this file show each of them solved.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": f"django.db.backends.{sys.argv[1]}",
            "NAME": sys.argv[2],
            "HOST": "127.0.0.1" if sys.argv[1] == "postgresql" else "",
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "TEST": {"NAME": f"test_plain_django_{os.getpid()}"},
        }
    }
    if sys.argv[1] == "postgresql"
    else {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from django.db import IntegrityError, connection, models, transaction  # noqa: E402
from django.db.models.signals import post_delete, post_save  # noqa: E402
from django.dispatch import Signal, receiver  # noqa: E402


class Order(models.Model):
    status = models.CharField(max_length=20, default="open", unique=True)

    class Meta:
        app_label = "contenttypes"
        managed = False  # its table is made below

    def __str__(self) -> str:
        return self.status


class OrderProxy(Order):
    class Meta:
        proxy = True
        app_label = "contenttypes"


problems: dict[str, Callable[[], bool]] = {}


def problem(function: Callable[[], bool]) -> Callable[[], bool]:
    problems[function.__name__] = function
    return function


@problem
def receiver_runs_for_what_is_rolled_back() -> bool:
    seen: list[Any] = []

    @receiver(post_save, sender=Order)
    def notify(instance: Order, **kwargs: Any) -> None:
        seen.append(instance.pk)

    with suppress(ZeroDivisionError), transaction.atomic():
        Order.objects.create()
        raise ZeroDivisionError
    return bool(seen) and not Order.objects.exists()


@problem
def deleted_instance_has_lost_its_key_on_commit() -> bool:
    seen: list[Any] = []

    @receiver(post_delete, sender=Order)
    def forget(instance: Order, **kwargs: Any) -> None:
        transaction.on_commit(lambda: seen.append(instance.pk))

    with transaction.atomic():
        Order.objects.create().delete()
    return seen == [None]


@problem
def database_error_of_a_receiver_poisons_the_transaction() -> bool:
    Order.objects.create(status="taken")

    @receiver(post_save, sender=Order)
    def fails(instance: Order, **kwargs: Any) -> None:
        if instance.status == "mine":
            Order(status="taken").save()

    try:
        with transaction.atomic():
            with suppress(IntegrityError):
                Order.objects.create(status="mine")
            Order.objects.count()
    except transaction.TransactionManagementError:
        return not Order.objects.filter(status="mine").exists()
    return False


@problem
def bulk_writes_send_nothing() -> bool:
    seen: list[Any] = []

    @receiver(post_save)
    def notify(**kwargs: Any) -> None:
        seen.append(kwargs)

    made = Order.objects.bulk_create([Order()])
    Order.objects.bulk_update(made, ["status"])
    Order.objects.update(status="paid")
    return seen == []


@problem
def fired_n_times_in_a_transaction() -> bool:
    seen: list[Any] = []

    @receiver(post_save, sender=Order)
    def notify(instance: Order, **kwargs: Any) -> None:
        transaction.on_commit(lambda: seen.append(instance.pk))

    with transaction.atomic():
        order = Order.objects.create()
        order.save()
        order.save()
    return len(seen) == 3


@problem
def nothing_says_which_field_changed() -> bool:
    seen: list[Any] = []

    @receiver(post_save, sender=Order)
    def notify(**kwargs: Any) -> None:
        seen.append(sorted(kwargs))

    Order.objects.create().save()
    sent = ["created", "instance", "raw", "sender", "signal", "update_fields", "using"]
    return seen == [sent] * 2


@problem
def order_is_that_of_the_imports() -> bool:
    signal, seen = Signal(), []

    @receiver(signal)
    def imported_first(**kwargs: Any) -> None:
        seen.append("first")

    @receiver(signal)
    def imported_second(**kwargs: Any) -> None:
        seen.append("second")

    signal.send(None)
    with suppress(TypeError):
        signal.connect(imported_second, priority=1)  # type: ignore[call-arg]
        return False
    return seen == ["first", "second"]


@problem
def save_in_post_save_never_ends() -> bool:
    @receiver(post_save, sender=Order)
    def again(instance: Order, **kwargs: Any) -> None:
        instance.save()

    try:
        with transaction.atomic():
            Order.objects.create()
    except RecursionError:
        return True
    return False


@problem
def proxies_and_lazy_senders_are_missed() -> bool:
    seen: list[Any] = []
    plain = Signal()

    @receiver(post_save, sender=Order)
    def notify(**kwargs: Any) -> None:
        seen.append(kwargs)

    @receiver(plain, sender="contenttypes.Order")
    def never(**kwargs: Any) -> None:
        seen.append(kwargs)

    OrderProxy.objects.create()
    plain.send(Order)
    return seen == []


def main() -> None:
    connection.creation.create_test_db(verbosity=0)
    try:
        with connection.schema_editor() as editor:
            editor.create_model(Order)
        met = []
        for name, function in problems.items():
            if function():
                met.append(name)
            for signal in (post_save, post_delete):
                signal.receivers.clear()
                signal.sender_receivers_cache.clear()
            Order.objects.all()._raw_delete("default")
        assert "signalpost" not in sys.modules
        print(json.dumps([met, sorted(problems)]))
    finally:
        connection.creation.destroy_test_db(sys.argv[2], verbosity=0)


if __name__ == "__main__":
    main()
