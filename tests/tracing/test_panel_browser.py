"""The panel in a browser: opened by a click, it shows what fired and where that is declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.map.browser import Visitor, chromium, require
from tests.tracing.panel_server import panel_served

pytestmark = pytest.mark.once


@pytest.fixture
def visitor(tmp_path: Path, checkout: Path) -> Iterator[Visitor]:
    with panel_served(tmp_path, checkout) as url, chromium() as browser:
        yield Visitor(browser, url)


def test_a_click_shows_what_fired_with_files_and_lines(visitor: Visitor) -> None:
    page: Any = visitor.open("/pay/")
    if page.is_visible("#djShowToolBarButton"):
        page.click("#djShowToolBarButton")
    assert "4 receivers of 2 signals, 1 on commit" in page.inner_text("#djdt-FiredSignalsPanel")
    page.click("#djdt-FiredSignalsPanel a.FiredSignalsPanel")
    table = page.wait_for_selector("#FiredSignalsPanel table")

    text = table.inner_text()
    for name in ("shop.paid", "greet", "post_save", "welcome", "complain", "mail"):
        assert name in text
    assert "waits for commit" in text
    assert "ValueError('<script>no</script>')" in text
    assert "tests/tracing/panel_project.py:" in text
    assert visitor.complaints == []


@pytest.mark.parametrize("path", ["/pay/", "/rest/"])
def test_axe_finds_nothing_serious_in_the_panel(
    visitor: Visitor, path: str, checkout: Path
) -> None:
    axe = checkout / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
    require(axe.is_file(), "there is no axe: `make frontend` brings it")
    page: Any = visitor.open(path)
    if page.is_visible("#djShowToolBarButton"):
        page.click("#djShowToolBarButton")
    page.click("#djdt-FiredSignalsPanel a.FiredSignalsPanel")
    page.wait_for_selector("#FiredSignalsPanel :is(table, p)")
    page.evaluate(axe.read_text(encoding="utf-8"))
    shown = ["#djDebugRoot", "#FiredSignalsPanel :is(table, p)"]
    result = page.evaluate("shown => axe.run({fromShadowDom: shown})", shown)
    assert result["passes"]
    found = [fault["id"] for fault in result["violations"]]
    assert [f for f in result["violations"] if f["impact"] in {"serious", "critical"}] == [], found
