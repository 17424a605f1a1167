"""The deliveries of a message, as a table on a page, and as a few words in a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.urls import reverse
from django.utils.html import format_html, format_html_join

from signalpost.delivery import receivers
from signalpost.django.admin.map import map_address
from signalpost.django.admin.rows import ERROR_IN_LIST, shortened
from signalpost.django.mapping.content import anchor
from signalpost.django.models import Delivery

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite


def in_words(deliveries: Iterable[Any]) -> str:
    """How many are in which state: what is done has no row any more."""
    counts = Counter(delivery.state for delivery in deliveries)
    return ", ".join(f"{counts[state]} {state}" for state in Delivery.State.values if counts[state])


def as_table(site: AdminSite, deliveries: Iterable[Any], topic: str) -> str:
    """The deliveries, each with a link to its page."""
    rows: list[Any] = [
        (
            address_of(site, each),
            each.pk,
            receiver_name(each.receiver, topic),
            each.get_state_display(),
            attempts(each),
            shortened(each.last_error, ERROR_IN_LIST),
        )
        for each in deliveries
    ]
    if not rows:
        return "-"
    return format_html(
        "<table><thead><tr><th>#</th><th>Receiver</th><th>State</th><th>Attempts</th>"
        "<th>Last error</th></tr></thead><tbody>{}</tbody></table>",
        format_html_join(
            "",
            '<tr><td><a href="{}">#{}</a></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>',
            rows,
        ),
    )


def link(site: AdminSite, row: Any, text: str) -> str:
    """A link to the page of a row."""
    return format_html('<a href="{}">{}</a>', address_of(site, row), text)


def address_of(site: AdminSite, row: Any) -> str:
    """Where the page of a row is."""
    name = f"admin:signalpost_{row._meta.model_name}_change"
    return reverse(name, args=[row.pk], current_app=site.name)


def receiver_name(key: str, topic: str) -> str:
    """The key, and whether this process has such a receiver."""
    if receivers.find(key, topic) is not None:
        return key
    return format_html('{} <span class="help">(not connected here)</span>', key)


def signal_link(topic: str) -> str:
    """The signal's name, which leads to the map where there is one."""
    address = map_address()
    if address is None:
        return topic
    return format_html(
        '<a href="{}?list#{}">{}</a>', address, quote(anchor("signal", topic)), topic
    )


def attempts(delivery: Any) -> str:
    """How often it was begun, of how often it may be."""
    return f"{delivery.attempts} of {delivery.max_attempts}"
