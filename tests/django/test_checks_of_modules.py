"""`manage.py check`: receivers of modules that are imported twice, and of those that never are."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from textwrap import dedent

import pytest
from django.apps import apps

from tests.django.conftest import WriteApp, installed, warned

RECEIVERS = """
    from django.db.models.signals import post_save
    from django.dispatch import receiver

    @receiver(post_save, sender="auth.User")
    def greet(sender, **kwargs): ...
"""


@pytest.fixture
def project(write_app: WriteApp, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose app can be imported as `project.shop` and as `shop`."""
    folder = write_app("project")
    write_app(
        "project/shop",
        signals="from signalpost import Signal\npaid = Signal()",
        receivers="""
            from signalpost import receiver
            from project.shop.signals import paid

            @receiver(paid)
            def notify(sender, **kwargs): ...
        """,
    )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder)
    return folder


def test_receiver_whose_file_is_imported_under_two_names_is_warned_of(project: Path) -> None:
    with installed("project.shop"):
        importlib.import_module("shop.receivers")
        assert warned("W002") == [
            (
                "Receiver 'project.shop.receivers.notify' (shop/receivers.py:5) is connected 2 times "
                "to signal 'project.shop.signals.paid' for any sender, since its file was imported "
                "as 'project.shop.receivers' and 'shop.receivers': it is called for each of them.",
                "Import it as 'project.shop.receivers' everywhere. Look for the other name in the "
                "imports and in INSTALLED_APPS.",
                apps.get_app_config("shop"),
            )
        ]


def test_module_that_is_run_as_a_program_too_is_warned_of(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed("project.shop"):
        specification = importlib.util.spec_from_file_location(
            "__main__", project / "shop/receivers.py"
        )
        assert specification and specification.loader
        program = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(program)
        [(message, hint, _)] = warned("W002")
        assert "imported as 'project.shop.receivers' and '__main__'" in message
        assert hint and hint.startswith("Import it as 'project.shop.receivers' everywhere.")


def test_receiver_for_two_senders_or_of_two_signals_is_connected_once(
    project: Path, write_app: WriteApp
) -> None:
    write_app(
        "other",
        receivers="""
            from functools import partial
            from signalpost import Signal, receiver
            from project.shop.signals import paid

            packed = Signal()

            class Listener:
                def hear(self, sender, **kwargs): ...

            @receiver([paid, packed])
            @receiver(paid, sender=Listener)
            def notify(sender, **kwargs): ...

            def make():
                def hear(sender, **kwargs): ...
                return hear

            kept = [make(), make(), Listener().hear, Listener().hear, partial(notify, a=1), len]
            for each in kept[:-1]:
                paid.connect(each)
        """,
    )
    with installed("project.shop", "other"):
        assert warned("W002") == []


@pytest.mark.parametrize("name", ["handlers", "signals", "models_too"])
def test_module_of_receivers_that_nobody_imports_is_warned_of(
    name: str, write_app: WriteApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_app("shop", **{name: RECEIVERS})
    with installed("shop"):
        assert warned("W003") == [
            (
                f"App 'shop' has a module 'shop.{name}' that was not imported, so its receivers are "
                f"not connected: 'greet' (shop/{name}.py:6, "
                "@receiver(post_save, sender='auth.User')).",
                f"Add '{name}' to SIGNALPOST['AUTODISCOVER'], or import it in the ready() of the "
                "app's AppConfig.",
                apps.get_app_config("shop"),
            )
        ]


def test_module_in_a_package_of_handlers_is_imported_by_hand(write_app: WriteApp) -> None:
    write_app("shop")
    write_app("shop/handlers", orders=RECEIVERS)
    with installed("shop"):
        [(message, hint, _)] = warned("W003")
        assert "a module 'shop.handlers.orders' that was not imported" in message
        assert hint == "Import 'shop.handlers.orders' in the ready() of the app's AppConfig."


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            "import signalpost\nfrom .signals import paid\n"
            "@signalpost.receiver(paid)\nasync def hear(**kwargs): ...",
            "'hear' (shop/handlers.py:4, @signalpost.receiver(paid))",
        ),
        (
            "from django import dispatch as d\nfrom shop import signals\nif 1:\n"
            "    @d.receiver([signals.paid])\n    def hear(**kwargs): ...",
            "'hear' (shop/handlers.py:5, @d.receiver([signals.paid]))",
        ),
        (
            "from shop.signals import paid\nfrom shop.apps import hear\npaid.connect(hear)",
            "'hear' (shop/handlers.py:3, paid.connect)",
        ),
        (
            "import django.db.models.signals\ntry:\n    pass\nfinally:\n"
            "    django.db.models.signals.post_init.connect(lambda **kwargs: 1, weak=False)",
            "'lambda **kwargs: 1' (shop/handlers.py:5, django.db.models.signals.post_init.connect)",
        ),
        (
            "from signalpost import receiver as r\nfrom shop.signals import paid\n"
            + "".join(f"@r(paid)\ndef hear_{n}(**kwargs): ...\n" for n in range(5)),
            "'hear_2' (shop/handlers.py:8, @r(paid)) and 2 more.",
        ),
    ],
    ids=["async", "attribute", "connect", "dotted", "many"],
)
def test_each_way_to_connect_is_seen_in_the_source(
    source: str,
    shown: str,
    write_app: WriteApp,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_app("shop", signals="from signalpost import Signal\npaid = Signal()", handlers=source)
    with installed("shop"):
        importlib.import_module("shop.signals")
        [(message, _, _)] = warned("W003")
        assert shown in message


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def broken(: # receiver",
        "receiver = '\0'",
        "from sqlite3 import connect\nimport sqlite3\nsqlite3.connect(':memory:')  # receiver",
        "from shop.broadcast import receiver\n@receiver('jazz')\ndef hear(**kwargs): ...",
        "from ....shop import receiver\n@receiver('jazz')\ndef hear(**kwargs): ...",
        "def receiver(f): return f\n@receiver\ndef hear(**kwargs): ...",
        "from django.dispatch import receiver\nclass A:\n    @receiver(1)\n    def hear(self): ...",
        "from django.dispatch import receiver\ndef f(signal):\n    signal.connect(receiver)",
        "from shop.nowhere import paid\nfrom django.dispatch import receiver\npaid.connect(receiver)",
    ],
)
def test_module_that_connects_nothing_is_not_warned_of(source: str, write_app: WriteApp) -> None:
    write_app("shop", handlers=source)
    with installed("shop"):
        assert warned("W003") == []


def test_modules_that_the_other_check_tells_of_are_not_told_of_twice(write_app: WriteApp) -> None:
    write_app("shop", handlers="raise AssertionError", receivers=RECEIVERS)
    with installed("shop", SIGNALPOST={"AUTODISCOVER": []}):
        assert len(warned("W001")) == 1
        assert warned("W003") == []


def test_tests_and_migrations_are_not_read(write_app: WriteApp) -> None:
    write_app("shop", conftest=RECEIVERS, tests=RECEIVERS, test_receivers=RECEIVERS)
    for folder in ("more_tests", "migrations", "management"):
        write_app(f"shop/{folder}", handlers=RECEIVERS)
    with installed("shop"):
        assert warned("W003") == []


def test_module_that_is_imported_under_another_name_is_not_warned_of(
    project: Path, write_app: WriteApp
) -> None:
    (project / "shop/handlers.py").write_text(dedent(RECEIVERS))
    with installed("project.shop"):
        assert len(warned("W003")) == 1
        importlib.import_module("shop.handlers")
        assert warned("W003") == []


def test_apps_that_were_installed_as_packages_are_not_read(
    write_app: WriteApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site-packages").mkdir()
    write_app("site-packages/parcel", handlers=RECEIVERS)
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    with installed("parcel"):
        assert warned("W003") == []


def test_only_the_apps_that_are_checked_are_told_of(write_app: WriteApp) -> None:
    write_app("shop", handlers=RECEIVERS)
    write_app("other", handlers=RECEIVERS)
    with installed("shop", "other"):
        config = apps.get_app_config("other")
        assert [app for _, _, app in warned("W003", app_configs=[config])] == [config]
