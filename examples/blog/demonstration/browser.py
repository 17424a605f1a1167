"""As much of a browser as a reader of the blog needs: links, forms, cookies and redirects."""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, and the fields that came filled in (hidden ones too)."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows after an address was opened: where it ended, and what is on it."""

    url: str
    status: int
    text: str
    links: tuple[str, ...]
    forms: tuple[Form, ...]


class Browser:
    """Keeps cookies, follows redirects, and sends a form with the fields that it came with."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(
            # The site is on this machine: no proxy of the environment comes between.
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def open(self, url: str) -> Page:
        """Return the page at `url`, an error page too."""
        return self._fetch(urllib.request.Request(url))

    def submit(self, page: Page, form: Form, **typed: str) -> Page:
        """Return the page that answers `form` of `page` with `typed` filled in."""
        origin = urllib.parse.urlsplit(page.url)
        return self._fetch(
            urllib.request.Request(
                form.action,
                data=urllib.parse.urlencode({**form.fields, **typed}).encode(),
                headers={"Referer": page.url, "Origin": f"{origin.scheme}://{origin.netloc}"},
                method=form.method.upper(),
            )
        )

    def _fetch(self, request: urllib.request.Request) -> Page:
        try:
            answer = self._opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
        reader = _PageReader(answer.url)
        reader.feed(text)
        return Page(answer.url, answer.status, text, tuple(reader.links), tuple(reader.forms))


class _PageReader(HTMLParser):
    """Collects the links and forms of a page, with absolute addresses."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.links: list[str] = []
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(urllib.parse.urljoin(self._url, given["href"]))
        elif tag == "form":
            action = urllib.parse.urljoin(self._url, given.get("action", ""))
            self.forms.append(Form(action, given.get("method", "get")))
        elif tag == "input" and "name" in given and self.forms:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
