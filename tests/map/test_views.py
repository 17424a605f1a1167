"""The page and what it fetches: for whom, and that all is there."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory

from signalpost import inspect
from signalpost.django.mapping import views
from signalpost.django.mapping.live import live
from tests.map import wiring

pytestmark = pytest.mark.django_db
PAGE, DATA, LIVE = "/signalpost/", "/signalpost/data.json", "/signalpost/live.json"
HERE = "tests.map.wiring"


def text(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


# ------------------------------------------------------------------------------------------- who


@pytest.mark.usefixtures("site")
def test_anonymous_is_sent_to_log_in() -> None:
    answer = Client().get(PAGE)

    assert answer.status_code == 302
    assert answer["Location"] == "/log-in/?next=%2Fsignalpost%2F"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("address", [DATA, LIVE])
def test_anonymous_gets_no_data(address: str) -> None:
    answer = Client().get(address)

    assert (answer.status_code, answer.json()) == (403, {"error": "Log in as staff."})
    assert not live.is_observing


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("address", [PAGE, DATA, LIVE])
def test_who_is_no_staff_is_refused(address: str, django_user_model: Any) -> None:
    client = Client()
    client.force_login(django_user_model.objects.create_user("bob"))

    assert client.get(address).status_code == 403


@pytest.mark.parametrize("address", [PAGE, DATA, LIVE])
def test_nothing_can_be_posted(address: str, staff: Client) -> None:
    assert staff.post(address).status_code == 405


def test_no_page_is_kept_by_the_browser(staff: Client) -> None:
    assert "no-store" in staff.get(PAGE)["Cache-Control"]


@pytest.mark.usefixtures("site")
def test_project_without_users_is_told_what_is_missing() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"AuthenticationMiddleware' to MIDDLEWARE"):
        views.page(RequestFactory().get(PAGE))


# ------------------------------------------------------------------------------------------ what


@pytest.mark.usefixtures("wired")
def test_data_is_the_list_with_apps(staff: Client) -> None:
    data = staff.get(DATA).json()
    listed = {info.name: info for info in inspect.signals()}
    signals = {signal["name"]: signal for signal in data["signals"]}

    assert data["version"] == inspect.VERSION
    assert signals.keys() == listed.keys()
    paid = signals[f"{HERE}.paid"]
    assert (paid["app"], paid["payload"]) == ("tests", ["order"])
    assert signals["django.db.models.signals.post_save"]["app"] == "django"
    assert [(r["name"], r["app"], r["delivery"], r["is_async"]) for r in paid["receivers"]] == [
        (f"{HERE}.ship", "tests", "now", False),
        (f"{HERE}.reserve", "tests", "on commit", False),
        (f"{HERE}.mail_receipt", "tests", "now", True),
    ]


def test_apps_are_those_that_are_installed(staff: Client) -> None:
    from signalpost.django.mapping.content import app_of

    assert app_of("tests.store.signals.sold") == "tests.store"
    assert app_of("django.contrib.auth.signals.user_logged_in") == "django.contrib.auth"
    assert app_of("alone") == "(no app)"


@pytest.mark.usefixtures("wired")
def test_page_is_complete_without_script(staff: Client, checkout: Path) -> None:
    page = html.unescape(text(staff, PAGE + "?list"))

    for info in inspect.signals():
        assert f'data-name="{info.name}"' in page
        for receiver in info.receivers:
            assert f'data-kind="receiver" data-name="{receiver.name}"' in page
            assert receiver.sender is None or receiver.sender in page
    assert "An order was paid." in page
    assert "priority 9" in page
    assert "on_commit=True" in page
    line = wiring.reserve.__code__.co_firstlineno
    assert f"tests/map/wiring.py:{line}" in page


@pytest.mark.usefixtures("wired")
def test_names_and_texts_are_escaped(staff: Client) -> None:
    for form in ("", "?list"):
        page = text(staff, PAGE + form)
        assert wiring.HOSTILE not in page
        assert html.escape(wiring.HOSTILE, quote=True) in page
        assert "<script>" not in page


def test_page_has_no_script_or_style_of_its_own(staff: Client) -> None:
    page = text(staff)

    assert "style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count(' src="/static/signalpost/')


def test_without_the_bundle_the_page_is_a_list_that_says_how_to_get_it(
    staff: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(views, "BUNDLE", tmp_path / "map.js")
    page = text(staff)

    assert 'class="as-list"' in page
    assert "make frontend" in page
    assert "map.js" not in page
    assert ">Graph<" not in page


def test_with_the_bundle_the_page_is_drawn(
    staff: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "map.js").touch()
    monkeypatch.setattr(views, "BUNDLE", tmp_path / "map.js")
    page = text(staff)

    assert 'class="as-picture"' in page
    assert "signalpost/map.js" in page
    assert "make frontend" not in page
    assert 'class="as-list"' in text(staff, PAGE + "?list")


# ------------------------------------------------------------------------------------------ live


def rows(answer: dict[str, Any], of: str) -> list[tuple[str | None, str | None, int]]:
    return [(r["receiver"], r["sender"], r["count"]) for r in answer["rows"] if r["signal"] == of]


@pytest.mark.usefixtures("wired")
def test_what_fires_is_told_once(staff: Client) -> None:
    first = staff.get(LIVE).json()
    wiring.paid.send(sender=wiring.Order, order=1)
    wiring.hostile.send(sender=None)
    address = f"{LIVE}?run={first['run']}&since="
    second = staff.get(address + str(first["cursor"])).json()
    third = staff.get(address + str(second["cursor"])).json()

    assert second["run"] == first["run"]
    order = f"{HERE}.Order"
    assert set(rows(second, f"{HERE}.paid")) == {
        (None, order, 1),
        (f"{HERE}.mail_receipt", order, 1),
        (f"{HERE}.reserve", order, 0),
        (f"{HERE}.ship", order, 1),
    }
    assert rows(third, f"{HERE}.paid") == []


def test_a_cursor_that_is_none_is_the_beginning(staff: Client) -> None:
    assert staff.get(LIVE + "?since=nonsense&run=").status_code == 200


def test_own_requests_are_left_out(staff: Client) -> None:
    for address in (LIVE, PAGE, DATA, LIVE, LIVE):
        answer = staff.get(address)

    assert json.loads(answer.content)["rows"] == []


def test_nothing_is_observed_in_production(staff: Client, settings: Any) -> None:
    settings.DEBUG = False

    answer = staff.get(LIVE)
    page = text(staff)

    assert answer.status_code == 404
    assert "MAP_LIVE" in answer.json()["error"]
    assert not live.is_observing
    assert "Not live: that needs a development server" in page
    assert "live.js" not in page


def test_development_can_do_without(staff: Client, settings: Any) -> None:
    settings.SIGNALPOST = {"MAP_LIVE": False}

    assert staff.get(LIVE).status_code == 404


def test_production_can_ask_for_it(staff: Client, settings: Any) -> None:
    settings.DEBUG = False
    settings.SIGNALPOST = {"MAP_LIVE": True}

    assert staff.get(LIVE).status_code == 200
    assert "live.js" in text(staff)
