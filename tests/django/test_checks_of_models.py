"""`manage.py check`: receivers of models that cost too much, or that miss what they are for."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from tests.django.conftest import WriteApp, installed, warned

MODELS = """
    from django.db import models

    class Order(models.Model):
        pass

    class Draft(Order):
        class Meta:
            proxy = True

    class Gift(Order):
        pass

    class Quiet(models.Model):
        pass
"""
IMPORTS = """
from functools import partial
from django.db.models import signals
from signalpost import receiver
from shop.models import *
"""


@pytest.fixture
def shop(write_app: WriteApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Writes the app: shop("source of its receivers", "source of its models")."""
    monkeypatch.chdir(tmp_path)

    def write(receivers: str, models: str = MODELS) -> None:
        write_app("shop", models=models, receivers=IMPORTS + receivers)

    return write


HEAR = "def hear(sender, **kwargs): ..."
PLACE = "Receiver 'shop.receivers.hear' (shop/receivers.py:6)"


@pytest.mark.parametrize(
    ("signal", "cost"),
    [
        (
            "pre_init",
            "it is called for each instance of each model, and so for each row that is read",
        ),
        (
            "post_init",
            "it is called for each instance of each model, and so for each row that is read",
        ),
        (
            "pre_delete",
            "Django fetches each object of each model before it deletes it, instead of deleting by "
            "one query",
        ),
        (
            "post_delete",
            "Django fetches each object of each model before it deletes it, instead of deleting by "
            "one query",
        ),
    ],
)
def test_receiver_for_any_sender_where_all_models_pay_is_warned_of(
    signal: str, cost: str, shop: object
) -> None:
    shop(f"@receiver(signals.{signal})\n{HEAR}")
    with installed("shop"):
        assert warned("W004") == [
            (
                f"{PLACE} is connected to signal 'django.db.models.signals.{signal}' for any sender: "
                f"{cost}.",
                "Name the models that it is about: sender=Order, or sender=[Order, Invoice].",
                apps.get_app_config("shop"),
            )
        ]


def test_receiver_for_one_sender_or_of_another_signal_costs_little(shop: object) -> None:
    shop(f"""
@receiver([signals.pre_save, signals.post_save, signals.class_prepared, signals.m2m_changed])
@receiver([signals.post_init, signals.pre_init, signals.post_delete], sender=Quiet)
{HEAR}
""")
    with installed("shop"):
        assert warned("W004") == []


def test_receivers_of_packages_are_not_warned_of(
    write_app: WriteApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site-packages").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    source = f"{IMPORTS}@receiver(signals.post_init)\n@receiver(signals.post_save, sender=Order)\n"
    write_app(
        "site-packages/shop", models=MODELS, receivers=f"{source}{HEAR}\nlisten = partial(hear)"
    )
    with installed("shop"):
        assert warned("W004") == warned("W006") == []


CASCADES = """
    from django.db import models

    class Customer(models.Model):
        pass

    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.DB_CASCADE)

    class Draft(Order):
        class Meta:
            proxy = True

    class Quiet(models.Model):
        first = models.ForeignKey(Customer, models.CASCADE, related_name="+")

    class Quieter(models.Model):
        first = models.ForeignKey(Customer, models.DB_SET_NULL, null=True, related_name="+")
        next = models.ForeignKey(Customer, models.DB_SET_DEFAULT, db_default=1, related_name="+")
"""
needs_database_deletes = pytest.mark.skipif(
    not hasattr(models, "DB_CASCADE"), reason="the database deletes by itself since Django 6.1"
)


@needs_database_deletes
@pytest.mark.parametrize("signal", ["pre_delete", "post_delete"])
def test_receiver_of_rows_that_the_database_deletes_is_warned_of(signal: str, shop: object) -> None:
    shop(f"@receiver(signals.{signal}, sender=Order, subclasses=False)\n{HEAR}", CASCADES)
    with installed("shop"):
        assert warned("W005") == [
            (
                f"{PLACE} is connected to signal 'django.db.models.signals.{signal}' for sender "
                "'shop.Order', but the database deletes rows by itself, without a signal, where "
                "on_delete is DB_CASCADE: 'shop.Order.customer'.",
                "Use on_delete=models.CASCADE there, so that Django deletes the rows and sends the "
                "signal, or have the database do what the receiver does.",
                apps.get_app_config("shop"),
            )
        ]


@needs_database_deletes
def test_database_deletes_of_subclasses_are_warned_of(shop: object) -> None:
    shop(f"@receiver(signals.post_delete, sender=models.Model, subclasses=True)\n{HEAR}", CASCADES)
    with installed("shop"):
        [(message, _, _)] = warned("W005")
        assert message.endswith("DB_CASCADE: 'shop.Order.customer'.")


@needs_database_deletes
def test_receiver_that_hears_of_each_deletion_is_not_warned_of(shop: object) -> None:
    shop(
        f"""
@receiver([signals.post_delete, signals.pre_delete], sender=[Quiet, Quieter, Customer])
@receiver(signals.post_save, sender=Order)
{HEAR}
""",
        CASCADES,
    )
    with installed("shop"):
        assert warned("W005") == []


@pytest.mark.skipif(hasattr(models, "DB_CASCADE"), reason="Django deletes all until Django 6.0")
def test_no_deletion_is_the_databases_own_before_django_6_1(shop: object) -> None:
    shop(f"@receiver(signals.post_delete, sender=Order)\n{HEAR}")
    with installed("shop"):
        assert warned("W005") == []


@pytest.mark.parametrize("signal", ["pre_save", "post_save", "pre_init", "post_init"])
def test_receiver_that_misses_proxies_and_children_is_warned_of(signal: str, shop: object) -> None:
    shop(f"@receiver(signals.{signal}, sender='shop.Order')\n{HEAR}")
    with installed("shop"):
        assert warned("W006") == [
            (
                f"{PLACE} is connected to signal 'django.db.models.signals.{signal}' for sender "
                "'shop.Order' alone: Django sends with the instance's own class, so it isn't called "
                "for proxy 'shop.Draft' and child 'shop.Gift'.",
                "Connect it with subclasses=True, or name all that it is about: "
                "sender=[Order, Draft, Gift].",
                apps.get_app_config("shop"),
            )
        ]


def test_deletion_of_a_child_reaches_the_receivers_of_its_parent(shop: object) -> None:
    shop(f"@receiver(signals.post_delete, sender=Order)\n{HEAR}")
    with installed("shop"):
        [(message, _, _)] = warned("W006")
        assert message.endswith("so it isn't called for proxy 'shop.Draft'.")


def test_receiver_of_an_abstract_model_hears_nothing(shop: object) -> None:
    shop(
        f"@receiver([signals.post_delete, signals.post_save], sender=Base)\n{HEAR}",
        "from django.db import models\n"
        "class Base(models.Model):\n    class Meta:\n        abstract = True\n"
        + "".join(f"class Order{n}(Base): ...\n" for n in range(5)),
    )
    with installed("shop"):
        assert [message.partition("called for ")[2] for message, _, _ in warned("W006")] == [
            "child 'shop.Order0', child 'shop.Order1', child 'shop.Order2' and 2 more."
        ] * 2


@pytest.mark.parametrize(
    "connected",
    [
        "sender=Order, subclasses=True",
        "sender=[Order, Draft, Gift]",
        "sender=Quiet",
        "sender=Gift",
        "sender='auth.User'",
        "sender=None",
    ],
)
def test_receiver_that_is_connected_for_the_heirs_too_is_not_warned_of(
    connected: str, shop: object
) -> None:
    shop(f"@receiver([signals.post_save, signals.pre_delete], {connected})\n{HEAR}")
    with installed("shop"):
        assert warned("W006") == []


def test_method_that_is_connected_for_the_heirs_one_by_one_is_not_warned_of(shop: object) -> None:
    shop("""
class Listener:
    def hear(self, sender, **kwargs): ...

listener = Listener()
signals.post_save.connect(listener.hear, sender=Order)
signals.post_save.connect(listener.hear, sender=Draft)
signals.post_save.connect(listener.hear, sender=Gift, dispatch_uid="gifts")
""")
    with installed("shop"):
        assert warned("W006") == []


def test_many_to_many_changes_have_no_heirs(shop: object) -> None:
    shop(f"@receiver(signals.m2m_changed, sender=Order)\n{HEAR}")
    with installed("shop"):
        assert warned("W006") == []
