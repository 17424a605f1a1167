"""What was sent, as those may see it who have the permission: pretty-printed, and redacted."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from signalpost.delivery import codec
from signalpost.delivery.execution import REDACTED
from signalpost.django.admin.rows import may, preformatted, shortened
from signalpost.django.settings import configured
from signalpost.exceptions import PayloadUnreadable

#: How much of a payload is shown, in characters. 256 kB are stored by default, and more if asked.
SHOWN = 50_000
_UNREADABLE = "It isn’t shown: it can’t be read, so nobody knows what of it is sensitive."


class ShowsPayload:
    """The part of a page that shows what was sent."""

    payload_fields: ClassVar[tuple[str, ...]] = ("payload", "additions", "sender", "context")

    def payload_fieldsets(self, request: HttpRequest) -> list[Any]:
        """That part, or nothing where the user may not see it."""
        if not may(request, "view_payload"):
            return []
        return [("Payload", {"fields": self.payload_fields})]

    def message_of(self, row: Any) -> Any:
        """The message that the page is about."""
        raise NotImplementedError

    @admin.display(description="payload")
    def payload(self, row: Any) -> str:
        return shown(self.message_of(row).body, "named")

    @admin.display(description="added by rules")
    def additions(self, row: Any) -> str:
        return shown(self.message_of(row).body, "added")

    @admin.display(description="sender")
    def sender(self, row: Any) -> str:
        return shown(self.message_of(row).body, "sender")

    @admin.display(description="context")
    def context(self, row: Any) -> str:
        return shown(self.message_of(row).headers, "context")


def shown(text: str, part: str) -> str:
    """A part of a stored text, without what is sensitive."""
    names = frozenset(name.casefold() for name in configured("SENSITIVE"))
    try:
        data = redacted(codec.parse(text or "{}").get(part), names)
        pretty = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True)
    except (PayloadUnreadable, AttributeError, RecursionError):
        return _UNREADABLE
    return "-" if data is None else preformatted(shortened(pretty, SHOWN))


def redacted(data: Any, names: Collection[str]) -> Any:
    """The data without what stands under one of the names, at whatever depth."""
    kind = type(data)  # pyright: ignore[reportUnknownVariableType]  # of JSON
    if kind is list:
        # A pair may be a key and its value: a dictionary is stored so where not all keys are texts.
        if len(data) == 2 and _is_among(data[0], names):  # noqa: PLR2004 - a pair
            return [data[0], REDACTED]
        return [redacted(each, names) for each in data]
    if kind is dict:
        return {
            name: REDACTED if _is_among(name, names) else redacted(value, names)
            for name, value in data.items()
        }
    return data


def _is_among(name: Any, names: Collection[str]) -> bool:
    return isinstance(name, str) and name.casefold() in names
