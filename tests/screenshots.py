"""The documentation's pictures, taken from the real pages: `make screenshots`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.map.browser import Visitor, chromium, served
from tests.tracing.panel_server import panel_served

CHECKOUT = Path(__file__).resolve().parents[1]
LIT = '[data-name="blog.signals.new_comment_added"] .pulse.flash'


def take_map(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as scratch,
        served(Path(scratch), CHECKOUT / "examples" / "blog", CHECKOUT) as url,
        chromium() as browser,
    ):
        for scheme in ("light", "dark"):
            visitor = Visitor(browser, url, scheme=scheme)
            visitor.log_in()
            page = visitor.open_map()
            if scheme == "light":
                page.check("[name=inner]")
            else:
                page.click('[data-name="blog.signals.new_comment_added"] .pick')
            page.wait_for_timeout(2_000)
            visitor.comment("What does this set off?")
            page.bring_to_front()
            page.wait_for_selector(LIT)
            page.wait_for_timeout(100)
            page.screenshot(path=folder / f"map-{scheme}.png")
            visitor.context.close()


def take_panel(folder: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as scratch,
        panel_served(Path(scratch), CHECKOUT) as url,
        chromium() as browser,
    ):
        page = Visitor(browser, url).open("/pay/")
        if page.is_visible("#djShowToolBarButton"):
            page.click("#djShowToolBarButton")
        page.click("#djdt-FiredSignalsPanel a.FiredSignalsPanel")
        page.wait_for_selector("#FiredSignalsPanel table")
        page.set_viewport_size({"width": 1400, "height": 420})
        page.screenshot(path=folder / "toolbar.png")


if __name__ == "__main__":
    images = Path(sys.argv[1])
    images.mkdir(parents=True, exist_ok=True)
    take_map(images)
    take_panel(images)
