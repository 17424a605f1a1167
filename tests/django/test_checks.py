"""`manage.py check`: each of our checks says what is wrong, and nothing of what is right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core import checks

from tests.django.conftest import WriteApp, installed

RAISES_IF_IMPORTED = "raise AssertionError('imported')"


def said(**options: Any) -> list[tuple[str, str, str | None, Any]]:
    """What the checks of Django's tag for signals say: ours, and nobody else's."""
    messages = checks.run_checks(tags=[checks.Tags.signals], **options)
    said = [(str(message.id), message.msg, message.hint, message.obj) for message in messages]
    return sorted(said, key=lambda message: message[:2])  # Django keeps its checks in a set


ADOPTED = (
    "signalpost.I001",
    "django.dispatch is adopted: its signals run on Signalpost's dispatcher.",
    "SIGNALPOST = {'ADOPT': False} leaves Django's dispatcher alone.",
    None,
)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"SIGNALPOST": {}},
        {"SIGNALPOST": {"ADOPT": True}},
        {"SIGNALPOST": {"ADOPT": True, "AUTODISCOVER": ["receivers", "handlers"]}},
        {"SIGNALPOST": {"AUTODISCOVER": ()}},
    ],
    ids=repr,
)
def test_good_settings_are_met_with_silence_but_for_the_adoption(settings: Any) -> None:
    with installed(**settings):
        assert said() == [ADOPTED]


def test_adoption_is_information_only() -> None:
    with installed():
        [message] = checks.run_checks(tags=[checks.Tags.signals])
        assert message.level == checks.INFO
        assert not message.is_serious()


SETTINGS = (
    "ADOPT, AUTODISCOVER, LEASE, MAP_LIVE, OBSERVERS, PAYLOAD_LIMIT, RETENTION, SENSITIVE, TRACE"
)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("ADOPTT", " Did you mean 'ADOPT'?"),
        ("adopt", " Did you mean 'ADOPT'?"),
        ("AUTO_DISCOVER", " Did you mean 'AUTODISCOVER'?"),
        ("autodiscovery", " Did you mean 'AUTODISCOVER'?"),
        ("QUEUE", ""),
        (5, ""),
    ],
)
def test_unknown_setting_is_an_error_with_the_nearest_name(name: Any, question: str) -> None:
    with installed(SIGNALPOST={name: True}):
        assert said() == [
            (
                "signalpost.E001",
                f"Unknown SIGNALPOST setting {name!r}.{question}",
                f"The settings are {SETTINGS}.",
                None,
            ),
            ADOPTED,
        ]


@pytest.mark.parametrize("value", ["no", 0, None, []], ids=repr)
def test_adopt_that_is_no_boolean_is_an_error(value: Any) -> None:
    with installed(SIGNALPOST={"ADOPT": value}):
        assert said() == [
            (
                "signalpost.E002",
                f"The SIGNALPOST setting 'ADOPT' is {value!r}, so its default, True, is used.",
                "It must be True or False.",
                None,
            ),
            ADOPTED,
        ]


@pytest.mark.parametrize(
    "value",
    ["receivers", None, True, ["a.b"], ["receivers.py"], [""], [5], {"receivers"}],
    ids=repr,
)
def test_autodiscover_that_is_no_list_of_names_is_an_error(value: Any, write_app: WriteApp) -> None:
    write_app("shop", receivers="")
    with installed("shop", SIGNALPOST={"AUTODISCOVER": value}):
        assert said() == [
            (
                "signalpost.E002",
                f"The SIGNALPOST setting 'AUTODISCOVER' is {value!r}, so its default, "
                "('receivers',), is used.",
                'It must be a list of module names, such as ["receivers"].',
                None,
            ),
            ADOPTED,
        ]
        assert "shop.receivers" in sys.modules


@pytest.mark.parametrize("value", [None, True, ["ADOPT"], "ADOPT"], ids=repr)
def test_settings_that_are_no_dictionary_are_an_error(value: Any) -> None:
    with installed(SIGNALPOST=value):
        assert said() == [
            (
                "signalpost.E002",
                f"The SIGNALPOST setting is {value!r}, not a dictionary.",
                'Write SIGNALPOST = {"ADOPT": True}, say, or leave it out.',
                None,
            ),
            ADOPTED,
        ]


def test_each_fault_is_told() -> None:
    with installed(SIGNALPOST={"ADOPTT": True, "ADOPT": "yes", "QUEUE": 1, "AUTODISCOVER": 5}):
        assert [message[0] for message in said()] == [
            "signalpost.E001",
            "signalpost.E001",
            "signalpost.E002",
            "signalpost.E002",
            "signalpost.I001",
        ]


@pytest.mark.parametrize("names", [[], ["handlers"]], ids=repr)
def test_receivers_that_nobody_imported_are_warned_of(names: Any, write_app: WriteApp) -> None:
    write_app("shop", receivers=RAISES_IF_IMPORTED)
    write_app("plain")

    with installed("shop", "plain", SIGNALPOST={"AUTODISCOVER": names}):
        assert said() == [
            ADOPTED,
            (
                "signalpost.W001",
                "App 'shop' has a module 'shop.receivers' that was not imported, so its receivers "
                "are not connected.",
                "Add 'receivers' to SIGNALPOST['AUTODISCOVER'], or import it in the ready() of the "
                "app's AppConfig.",
                apps.get_app_config("shop"),
            ),
        ]


def test_receivers_that_the_app_imports_itself_are_not_warned_of(write_app: WriteApp) -> None:
    write_app(
        "shop",
        receivers="",
        apps="""
            from django.apps import AppConfig
            class Config(AppConfig):
                name = "shop"
                def ready(self):
                    from . import receivers
        """,
    )

    with installed("shop", SIGNALPOST={"AUTODISCOVER": []}):
        assert said() == [ADOPTED]


def test_only_the_apps_that_are_checked_are_warned_of(write_app: WriteApp) -> None:
    write_app("shop", receivers=RAISES_IF_IMPORTED)
    write_app("other", receivers=RAISES_IF_IMPORTED)

    with installed("shop", "other", SIGNALPOST={"AUTODISCOVER": []}):
        warned = said(app_configs=[apps.get_app_config("other")])
        assert [message[1][:28] for message in warned if message[0] == "signalpost.W001"] == [
            "App 'other' has a module 'ot"
        ]


def manage(folder: Path, settings: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` of a project that is written to the folder."""
    source = Path(sys.modules["signalpost"].__file__ or "").resolve().parents[1]
    (folder / "manage.py").write_text(
        "import os, sys\n"
        f"sys.path.append({str(source)!r})\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'project_settings'\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(sys.argv)\n",
        encoding="utf-8",
    )
    (folder / "project_settings.py").write_text(
        f"SECRET_KEY = 'for the tests only'\n{settings}\n", encoding="utf-8"
    )
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_manage_py_check_fails_with_the_hint(write_app: WriteApp, tmp_path: Path) -> None:
    write_app("shop", receivers="")

    process = manage(
        tmp_path,
        "INSTALLED_APPS = ['signalpost.django', 'shop']\n"
        "SIGNALPOST = {'AUTODISCOVERY': ['receivers']}",
        "check",
    )

    assert process.returncode == 1
    assert (
        "?: (signalpost.E001) Unknown SIGNALPOST setting 'AUTODISCOVERY'. "
        f"Did you mean 'AUTODISCOVER'?\n\tHINT: The settings are {SETTINGS}."
    ) in process.stderr


def test_manage_py_stops_at_receivers_that_fail_to_import(
    write_app: WriteApp, tmp_path: Path
) -> None:
    folder = write_app("shop", receivers="from nowhere import nothing")

    process = manage(tmp_path, "INSTALLED_APPS = ['signalpost.django', 'shop']", "check")

    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].startswith(
        "django.core.exceptions.ImproperlyConfigured: Cannot import the receivers of app 'shop': "
        f"'shop.receivers' ({folder / 'receivers.py'}, line 1) raised ModuleNotFoundError: "
        "No module named 'nowhere'."
    )
