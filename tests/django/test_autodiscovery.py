"""The `receivers` module of each installed app is imported, and a faulty one stops the start."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from signalpost.django.autodiscovery import autodiscover
from tests.django.conftest import WriteApp, installed

RECEIVERS = """
    from django.dispatch import receiver
    from .signals import paid

    @receiver(paid)
    def notify(order, **kwargs):
        return f"notified of {order}"
"""
SIGNALS = """
    from django.dispatch import Signal
    paid = Signal(providing_args=["order"])
"""


def answers(app: str) -> list[Any]:
    """What the receivers of the app's signal return."""
    signal = __import__(f"{app}.signals", fromlist=["paid"]).paid
    return [response for _, response in signal.send(None, order=1)]


def refusal(*apps: str, **settings: Any) -> tuple[str, BaseException | None]:
    """The error's text and its cause."""
    with pytest.raises(ImproperlyConfigured) as caught, installed(*apps, **settings):
        pass
    return str(caught.value), caught.value.__cause__


def text(app: str, path: Path, line: int, error: str, *, module: str = "receivers") -> str:
    return (
        f"Cannot import the receivers of app '{app}': '{app}.{module}' ({path}, line {line}) raised "
        f"{error}. Its receivers aren't connected. Correct the module, or take it off "
        "SIGNALPOST['AUTODISCOVER']."
    )


def test_receivers_of_each_app_are_connected(write_app: WriteApp) -> None:
    write_app("shop", signals=SIGNALS, receivers=RECEIVERS)
    write_app("blog_of_shop", signals=SIGNALS, receivers=RECEIVERS)
    write_app("plain", models="")

    with installed("shop", "plain", "blog_of_shop"):
        assert answers("shop") == ["notified of 1"]
        assert answers("blog_of_shop") == ["notified of 1"]
        assert "plain.receivers" not in sys.modules


def test_app_is_discovered_by_its_module_whatever_its_label(write_app: WriteApp) -> None:
    write_app(
        "shop",
        signals=SIGNALS,
        receivers=RECEIVERS,
        apps="""
            from django.apps import AppConfig
            class Config(AppConfig):
                name = "shop"
                label = "quite_another"
        """,
    )

    with installed("shop.apps.Config"):
        assert answers("shop") == ["notified of 1"]


def test_models_can_be_imported_by_receivers(write_app: WriteApp) -> None:
    write_app(
        "shop",
        models="""
            from django.db import models
            class Order(models.Model):
                class Meta:
                    app_label = "shop"
        """,
        receivers="""
            from django.db.models.signals import post_save
            from django.dispatch import receiver
            from .models import Order

            @receiver(post_save, sender=Order, priority=1)
            def saved(instance, **kwargs):
                return instance

            @receiver(post_save, sender="shop.Order")
            def saved_too(instance, **kwargs):
                return instance
        """,
    )

    with installed("shop"):
        from django.db.models.signals import post_save

        order_class = sys.modules["shop.models"].Order
        called = [
            receiver.__name__ for receiver, _ in post_save.send(sender=order_class, instance=1)
        ]
    assert called == ["saved", "saved_too"]


def test_module_is_imported_once_however_often_it_is_named(write_app: WriteApp) -> None:
    write_app("shop", signals=SIGNALS, receivers=RECEIVERS)

    with installed("shop", SIGNALPOST={"AUTODISCOVER": ["receivers", "receivers"]}):
        assert answers("shop") == ["notified of 1"]


@pytest.mark.parametrize("names", [[], ()])
def test_nothing_is_imported_where_nothing_is_named(write_app: WriteApp, names: Any) -> None:
    write_app("shop", signals=SIGNALS, receivers=RECEIVERS)

    with installed("shop", SIGNALPOST={"AUTODISCOVER": names}):
        assert "shop.receivers" not in sys.modules
        assert answers("shop") == []


def test_other_modules_may_be_named(write_app: WriteApp) -> None:
    write_app("shop", signals=SIGNALS, handlers=RECEIVERS, listeners="", receivers="1 / 0")

    with installed("shop", SIGNALPOST={"AUTODISCOVER": ["handlers", "listeners"]}):
        assert answers("shop") == ["notified of 1"]
        assert "shop.listeners" in sys.modules
        assert "shop.receivers" not in sys.modules


def test_syntax_error_stops_the_start(write_app: WriteApp) -> None:
    folder = write_app("shop", receivers="x = 1\n\ndef notify(:\n    pass\n")

    message, cause = refusal("shop")

    assert message == text("shop", folder / "receivers.py", 3, f"SyntaxError: {cause}")
    assert isinstance(cause, SyntaxError)


def test_indentation_error_stops_the_start(write_app: WriteApp) -> None:
    folder = write_app("shop", receivers="def notify():\npass\n")

    message, cause = refusal("shop")

    assert message == text("shop", folder / "receivers.py", 2, f"IndentationError: {cause}")


def test_import_error_stops_the_start(write_app: WriteApp) -> None:
    folder = write_app("shop", receivers="\nimport no_such_module\n")

    message, cause = refusal("shop")

    assert message == text(
        "shop",
        folder / "receivers.py",
        2,
        "ModuleNotFoundError: No module named 'no_such_module'",
    )
    assert isinstance(cause, ModuleNotFoundError)


def test_name_that_is_not_there_stops_the_start(write_app: WriteApp) -> None:
    folder = write_app("shop", signals=SIGNALS, receivers="\n\nfrom .signals import payd\n")

    message, cause = refusal("shop")

    assert message == text("shop", folder / "receivers.py", 3, f"ImportError: {cause}")
    assert "cannot import name 'payd' from 'shop.signals'" in message


def test_exception_stops_the_start(write_app: WriteApp) -> None:
    folder = write_app("shop", receivers="def fail():\n    return 1 / 0\n\nfail()\n")

    message, cause = refusal("shop")

    assert message == text(
        "shop", folder / "receivers.py", 2, "ZeroDivisionError: division by zero"
    )
    assert isinstance(cause, ZeroDivisionError)


def test_fault_of_another_module_of_the_app_is_placed_there(write_app: WriteApp) -> None:
    folder = write_app("shop", mails="\n\n\n1 / 0\n", receivers="from . import mails\n")

    message, _ = refusal("shop")

    assert message == text("shop", folder / "mails.py", 4, "ZeroDivisionError: division by zero")


def test_syntax_error_of_another_module_is_placed_there(write_app: WriteApp) -> None:
    folder = write_app("shop", mails="\n(\n", receivers="from . import mails\n")

    message, cause = refusal("shop")

    assert message == text("shop", folder / "mails.py", 2, f"SyntaxError: {cause}")


def test_refused_receiver_is_placed_where_it_is_written_not_in_our_code(
    write_app: WriteApp,
) -> None:
    folder = write_app(
        "shop",
        signals=SIGNALS,
        receivers="""\
            from django.dispatch import receiver
            from .signals import paid

            @receiver(paid)
            def notify(ordre): ...
        """,
    )

    message, cause = refusal("shop")

    assert message.startswith(
        f"Cannot import the receivers of app 'shop': 'shop.receivers' ({folder / 'receivers.py'}, "
        "line 4) raised ReceiverError: Cannot connect 'shop.receivers.notify' to signal "
        "'shop.signals.paid': it requires 'ordre' but the signal sends (order). Did you mean "
        "'order'?"
    )
    assert isinstance(cause, TypeError)


def test_fault_of_a_library_is_placed_where_the_app_calls_it(write_app: WriteApp) -> None:
    folder = write_app("shop", receivers="import json\n\njson.loads('{')\n")

    message, cause = refusal("shop")

    assert message == text("shop", folder / "receivers.py", 3, f"JSONDecodeError: {cause}")


def test_module_named_otherwise_is_named_in_the_error(write_app: WriteApp) -> None:
    folder = write_app("shop", handlers="1 / 0")

    message, _ = refusal("shop", SIGNALPOST={"AUTODISCOVER": ["handlers"]})

    assert message == text(
        "shop", folder / "handlers.py", 1, "ZeroDivisionError: division by zero", module="handlers"
    )


def test_first_faulty_app_is_named(write_app: WriteApp) -> None:
    write_app("good", signals=SIGNALS, receivers=RECEIVERS)
    write_app("faulty", receivers="1 / 0")

    message, _ = refusal("good", "faulty")

    assert message.startswith("Cannot import the receivers of app 'faulty': 'faulty.receivers' (")


def test_keyboard_interrupt_is_not_taken_for_a_fault(write_app: WriteApp) -> None:
    write_app("shop", receivers="raise KeyboardInterrupt")

    with installed("shop", SIGNALPOST={"AUTODISCOVER": []}), pytest.raises(KeyboardInterrupt):
        autodiscover(["receivers"])
