"""`manage.py check`: senders that are named by a string, of a model that doesn't come."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.checks.model_checks import check_lazy_references

from tests.django.conftest import WriteApp, installed, warned

HINT = (
    'Name a model of an installed app by its label, "app.Model". If the string itself is what is '
    "sent as the sender, silence this check."
)


def write_shop(write_app: WriteApp, sender: str, signal: str = "paid") -> None:
    write_app(
        "shop",
        models="from django.db import models\nclass Order(models.Model): ...\n",
        receivers=f"""
            from django.core.signals import request_started
            from django.db.models.signals import post_save
            from signalpost import Signal, receiver
            paid = Signal()

            @receiver({signal}, sender={sender!r})
            def hear(sender, **kwargs): ...
        """,
    )


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    # What waits for a model that doesn't come: Django keeps it, and its receiver, for ever.
    monkeypatch.setattr(apps, "_pending_operations", defaultdict(list))
    yield
    apps._pending_operations.clear()
    gc.collect()


@pytest.mark.parametrize("signal", ["paid", "request_started"])
@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("shop.Ordr", "app 'shop' has no model 'Ordr'"),
        ("shop.ordr", "app 'shop' has no model 'ordr'"),
        ("shopp.Order", "app 'shopp' isn't installed"),
    ],
)
def test_name_of_no_model_is_warned_of_with_the_nearest(
    label: str, problem: str, signal: str, write_app: WriteApp
) -> None:
    write_shop(write_app, label, signal)
    name = {"paid": "shop.receivers.paid", "request_started": "django.core.signals.request_started"}
    with installed("shop"):
        assert warned("W007") == [
            (
                "Receiver 'shop.receivers.hear' (shop/receivers.py:7) is connected to signal "
                f"'{name[signal]}' for sender '{label}', but {problem}, so no model's sends reach "
                "it. Did you mean 'shop.Order'?",
                HINT,
                apps.get_app_config("shop"),
            )
        ]


def test_name_that_is_near_to_none_is_warned_of_if_it_is_written_as_models_are(
    write_app: WriteApp,
) -> None:
    write_shop(write_app, "billing.Invoice")
    with installed("shop"):
        [(message, _, _)] = warned("W007")
        assert message.endswith("but app 'billing' isn't installed, so no model's sends reach it.")


@pytest.mark.parametrize(
    "sender", ["shop.Order", "shop.order", "shop.checkout", "checkout", "Shop Order", "a.b.Order"]
)
def test_name_of_a_model_or_of_something_else_is_not_warned_of(
    sender: str, write_app: WriteApp
) -> None:
    write_shop(write_app, sender)
    with installed("shop"):
        assert warned("W007") == []


@pytest.mark.parametrize(("signal", "ids"), [("post_save", ["signals.E001"]), ("paid", [])])
def test_django_tells_of_its_model_signals_and_of_no_others(
    signal: str, ids: list[str], write_app: WriteApp
) -> None:
    write_shop(write_app, "shop.Ordr", signal)
    with installed("shop"):
        assert [message.id for message in check_lazy_references(None)] == ids
        assert len(warned("W007")) == 1 - len(ids)
