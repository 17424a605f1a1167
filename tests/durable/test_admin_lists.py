"""What the admin shows of durable deliveries, and that a million of them don't slow it down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.db.models import F
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import clear_url_caches

from signalpost import signal_context
from signalpost.delivery.execution import idempotency_key
from signalpost.django.admin import (
    DeliveryAdmin,
    MessageAdmin,
    WorkerAdmin,
    payloads,
    register,
    rows,
)
from signalpost.django.models import Delivery, Message, Worker
from signalpost.django.operating import actions
from signalpost.testing import drain
from tests.durable.admin_site import (
    Staff,
    admin_installed,
    boss,
    change_message,
    owed,
    paid,
    words,
    working,
)
from tests.durable.admin_site import rows as delivered
from tests.durable.admin_urls import SITES

sqlite = pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])
HOSTILE = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;"
UNKNOWN = "(not connected here)"


@pytest.fixture
def user(database: str, on: Any) -> Iterator[Staff]:
    @on(paid, durable="tests.admin.note", using=database, queue="mail")
    def note(**kwargs: Any) -> None: ...

    with admin_installed():
        yield boss(database)


def listed(user: Staff, query: str = "", model: str = "delivery") -> list[int]:
    """The numbers of the rows of a list, in its order."""
    found = user.client.get(f"{user.address(model=model)}?{query}")
    assert found.status_code == 200, found
    return [row.pk for row in found.context["cl"].result_list]


def message_of(alias: str, delivery: int) -> Any:
    return delivered(alias).get(pk=delivery).message


# --------------------------------------------------------------------------------------- filters


def test_list_has_the_latest_first(database: str, user: Staff) -> None:
    ids = owed(database, 3)
    assert listed(user) == ids[::-1]


def test_filters_narrow_the_list(database: str, user: Staff) -> None:
    ready, dead, gone, mail = owed(database, 4, lane="default")
    for pk, columns in (
        (dead, {"state": "dead"}),
        (gone, {"state": "dead", "receiver": "tests.gone"}),
        (mail, {"lane": "mail"}),
    ):
        delivered(database).filter(pk=pk).update(**columns)

    assert listed(user, "state=dead") == [gone, dead]
    assert listed(user, "state=claimed") == []
    assert listed(user, "queue=mail") == [mail]
    assert listed(user, "receiver=tests.gone") == [gone]
    assert listed(user, "state=dead&receiver=tests.admin.note&queue=default") == [dead]
    assert listed(user, "state=ready&queue=default") == [ready]


def test_filters_offer_what_there_is(database: str, user: Staff) -> None:
    owed(database, 2, state="dead", receiver="tests.gone", lane="slow")
    owed(database, state="blocked", receiver="tests.waits", lane="slow")
    owed(database, lane="slow")
    actions.pause(database, "slow")

    page = words(user.open())
    for choice in (
        f"tests.gone {UNKNOWN}",
        f"tests.waits {UNKNOWN}",
        "tests.admin.note",
        "slow (paused)",
        "mail",
        "Cancelled",
    ):
        assert choice in page


def test_what_no_filter_offers_can_be_asked_for(database: str, user: Staff) -> None:
    [one] = owed(database, receiver="tests.unheard-of", lane="nobody’s")

    assert listed(user, "receiver=tests.unheard-of") == [one]
    assert listed(user, f"queue={quote('nobody’s')}") == [one]
    assert listed(user, "receiver=%00") == []
    assert listed(user, "state=%00") == []


def test_search_finds_a_message_a_receiver_a_key_and_a_number(database: str, user: Staff) -> None:
    first, second = owed(database, 2)
    delivered(database).filter(pk=second).update(receiver="shop.send_50%", ordering_key="order-7")
    uid = message_of(database, first).uid

    assert listed(user, f"q={uid}") == [first]
    assert listed(user, f"q={uid.hex}") == [first]
    assert listed(user, "q=send_50%25") == [second]
    assert listed(user, "q=send%5f60") == []
    assert listed(user, "q=order-7") == [second]
    assert listed(user, "q=order") == []
    assert listed(user, f"q=%23{first}") == [first]
    assert listed(user, "q=%23" + "9" * 30) == []
    assert listed(user, "q=%20%20") == [second, first]


def test_messages_are_found_and_filtered(database: str, user: Staff) -> None:
    first, second = (message_of(database, pk) for pk in owed(database, 2))
    Message._base_manager.using(database).filter(pk=second.pk).update(topic="shop.other")

    assert listed(user, model="message") == [second.pk, first.pk]
    assert listed(user, "signal=shop.other", "message") == [second.pk]
    assert listed(user, "signal=tests.admin.paid", "message") == [first.pk]
    assert listed(user, "q=shop.other", "message") == [second.pk]
    assert listed(user, f"q={first.uid}", "message") == [first.pk]
    assert listed(user, f"q=%23{first.deliveries.get().pk}", "message") == [first.pk]
    assert listed(user, f"q={UUID(int=0)}", "message") == []


# ------------------------------------------------------------------------------- a million of them


def queries(database: str, user: Staff, name: str = "", model: str = "delivery") -> list[str]:
    with CaptureQueriesContext(connections[database]) as captured:
        user.open(name, model)
    return [query["sql"] for query in captured]


def test_no_list_counts_to_the_end(database: str, user: Staff) -> None:
    owed(database, 3, state="dead")
    for name in ("", "?state=dead", "?state=ready", "?queue=mail", "?receiver=x", "?q=x"):
        counts = [sql for sql in queries(database, user, name) if "COUNT(" in sql.upper()]
        assert counts
        assert all(f"LIMIT {rows.COUNTED}" in sql and "ORDER BY" not in sql for sql in counts)
    for model in ("message", "worker"):
        counts = [sql for sql in queries(database, user, "", model) if "COUNT(" in sql.upper()]
        assert all(f"LIMIT {rows.COUNTED}" in sql for sql in counts)


def test_longer_list_takes_no_more_queries(database: str, user: Staff) -> None:
    owed(database, 1, state="dead")
    short = [len(queries(database, user, "", model)) for model in ("delivery", "message")]
    owed(database, 30, state="dead")
    assert [len(queries(database, user, "", model)) for model in ("delivery", "message")] == short
    assert max(short) < 12


def test_list_says_that_it_was_not_counted_to_the_end(
    database: str, user: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed(database, 3)
    assert "There are at least" not in user.open()
    monkeypatch.setattr(rows, "COUNTED", 3)
    owed(database, 2)
    page = words(user.open())
    assert "3 deliveries There are at least 3; no more are counted or shown." in page


@sqlite
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("state=ready", "signalpost_delivery_ready"),
        ("state=claimed", "signalpost_delivery_claimed"),
        ("state=dead", "signalpost_delivery_key"),
        ("state=dead&receiver=x", "signalpost_delivery_key"),
        ("state=blocked", "signalpost_delivery_key"),
    ],
)
def test_state_is_looked_for_in_its_index(
    database: str, user: Staff, query: str, index: str
) -> None:
    request = RequestFactory().get(f"/?{query}")
    request.user = AnonymousUser()
    listing = SITES[database].get_model_admin(Delivery)
    with override_settings(ROOT_URLCONF="tests.durable.admin_urls"):
        changes: Any = listing.get_changelist_instance(_as(request, user))
    plan = changes.queryset[:100].explain()

    assert index in plan
    if "ready" in query or "claimed" in query:  # the order of the index is that of the list
        assert "TEMP B-TREE" not in plan


def _as(request: Any, user: Staff) -> Any:
    request.user = user.user
    return request


@sqlite
def test_list_cannot_be_sorted_or_counted_by_facets(database: str, user: Staff) -> None:
    ids = owed(database, 2)
    delivered(database).filter(pk=ids[1]).update(receiver="tests.aaa")

    assert listed(user, "o=3") == ids[::-1]
    page = user.open()
    assert "_facets" not in page
    assert "sortable" not in page


# --------------------------------------------------------------------------------- what is shown


@sqlite
def test_row_says_what_became_of_a_delivery(database: str, user: Staff) -> None:
    [one] = owed(
        database, state="dead", attempts=3, last_error=f"ValueError: {HOSTILE} " + "x" * 300
    )

    page = user.open()
    text = words(page)
    assert f"#{one} Dead tests.admin.note ValueError: {HOSTILE}" in text
    assert "3 of 12 tests.admin.paid mail" in text
    assert ESCAPED in page
    assert HOSTILE not in page
    assert "x" * 60 in text
    assert "x" * 200 not in text


@sqlite
def test_receiver_that_this_process_does_not_know_is_shown_as_such(
    database: str, user: Staff
) -> None:
    known, unknown = owed(database, 2)
    delivered(database).filter(pk=unknown).update(receiver=HOSTILE)

    page = user.open()
    assert f"tests.admin.note {UNKNOWN}" not in words(page)
    assert f"{HOSTILE} {UNKNOWN}" in words(page)
    assert HOSTILE not in page
    assert UNKNOWN in user.open(f"{unknown}/change/")
    assert UNKNOWN not in user.open(f"{known}/change/").split('id="changelist')[0]


@sqlite
def test_key_of_another_signals_receiver_is_not_known(database: str, user: Staff) -> None:
    [one] = owed(database)
    change_message(database, topic="tests.admin.other")

    assert UNKNOWN in user.open(f"{one}/change/")


@sqlite
def test_page_has_the_error_as_it_stands_but_bounded(database: str, user: Staff) -> None:
    [one] = owed(database, state="dead", last_error=f"{HOSTILE}\nsecond line" + "y" * 9000)

    page = user.open(f"{one}/change/")
    assert "<pre>&lt;script&gt;alert(1)&lt;/script&gt;\nsecond line" in page
    assert "y" * 3000 in page
    assert "y" * 4001 not in page


@sqlite
def test_page_leads_to_the_message_and_its_other_deliveries(
    database: str, user: Staff, on: Any
) -> None:
    @on(paid, durable="tests.admin.other", using=database)
    def other(**kwargs: Any) -> None: ...

    first, second = owed(database, state="dead", last_error=HOSTILE)
    message = message_of(database, first)

    page = user.open(f"{first}/change/")
    of_message = user.open(f"{message.pk}/change/", "message")
    assert user.address(f"{message.pk}/change/", "message") in page
    assert str(message.uid) in page
    assert str(idempotency_key(message.uid, "tests.admin.note")) in page
    assert user.address(f"{second}/change/") in page
    for each in (first, second):
        assert user.address(f"{each}/change/") in of_message
    assert HOSTILE not in page + of_message
    assert "2 dead" in words(user.open(model="message"))


@sqlite
def test_blocked_delivery_says_what_it_waits_for(database: str, user: Staff) -> None:
    earlier, cancelled, dead, blocked = owed(database, 4, ordering_key="7", state="blocked")
    for pk, state in ((earlier, "dead"), (cancelled, "cancelled"), (dead, "dead")):
        delivered(database).filter(pk=pk).update(state=state)

    page = user.open(f"{blocked}/change/")
    assert f'<a href="{user.address(f"{earlier}/change/")}">#{earlier} (dead)</a>' in page
    assert "Waits for" not in user.open(f"{earlier}/change/")


# -------------------------------------------------------------------------------------- payloads


@sqlite
def test_payload_is_pretty_and_escaped(database: str, user: Staff) -> None:
    with signal_context(actor="ada"):
        paid.send(sender=None, text=HOSTILE, using=database)
    [one] = delivered(database).values_list("pk", flat=True)

    page = user.open(f"{one}/change/")
    assert f"<pre>{{\n  &quot;text&quot;: &quot;{ESCAPED}alert(1)" in page
    assert "&quot;actor&quot;: &quot;ada&quot;" in page
    assert HOSTILE not in page


@sqlite
@override_settings(SIGNALPOST={"SENSITIVE": ["password", "iban"]})
def test_sensitive_arguments_are_redacted_wherever_they_stand(database: str, user: Staff) -> None:
    secret = "hunter2"
    with signal_context(iban=secret):
        paid.send(
            sender=None,
            using=database,
            password=secret,
            order={"lines": [{"IBAN": secret, "n": 1}], 5: "five", "password": {"a": secret}},
            pairs=[("Password", secret)],
        )
    [one] = delivered(database).values_list("pk", flat=True)

    page = user.open(f"{one}/change/")
    message = user.open(f"{message_of(database, one).pk}/change/", "message")
    assert secret not in page + message
    assert page.count("[redacted]") == 5
    assert "five" in page


@pytest.mark.parametrize(
    "text",
    ["no JSON: hunter2", '["hunter2"]', "[" * 100_000, '{"named":' * 5000 + "1" + "}" * 5000, "1"],
    ids=["text", "list", "deep", "deep-dicts", "number"],
)
def test_what_cannot_be_read_is_not_shown(text: str) -> None:
    shown = payloads.shown(text, "named")

    assert shown == "It isn’t shown: it can’t be read, so nobody knows what of it is sensitive."


def test_long_payload_is_cut() -> None:
    shown = payloads.shown(f'{{"named":{{"text":"{"x" * 200_000}"}}}}', "named")

    assert 50_000 < len(shown) < 50_100
    assert shown.endswith("x…</pre>")


def test_missing_part_is_a_dash() -> None:
    assert payloads.shown("", "context") == "-"


# --------------------------------------------------------------------------------------- workers


def test_workers_say_when_they_were_last_heard_of(database: str, user: Staff) -> None:
    working(database, "fresh@host:1")
    lost = working(database, "lost@host:2", heartbeat_at=F("heartbeat_at") - timedelta(minutes=5))

    text = words(user.open(model="worker"))
    assert listed(user, model="worker") == ["fresh@host:1", lost]
    assert "fresh@host:1 mail 0 s ago" in text or "fresh@host:1 mail 1 s ago" in text
    assert "lost@host:2 mail 300 s ago" in text or "lost@host:2 mail 301 s ago" in text
    page = user.open(model="worker")
    assert page.count('alt="True"') == page.count('alt="False"') == 1
    assert "done 3" in text


@sqlite
@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '"x"', "null"])
def test_worker_with_odd_columns_is_shown(database: str, user: Staff, text: str) -> None:
    working(database, lanes=text, stats=text)

    assert "w@host:1 all" in words(user.open(model="worker"))


# ---------------------------------------------------------------------------------- the map, sites


@sqlite
def test_signals_lead_to_the_map(database: str, user: Staff) -> None:
    [one] = owed(database)

    for page in (user.open(), user.open(f"{one}/change/"), user.open(model="message")):
        assert '<a href="/signalpost/?list#signal%3Atests.admin.paid">tests.admin.paid</a>' in page
    assert '<a href="/signalpost/">Map of signals</a>' in user.open()
    assert 'id="signal:tests.admin.paid"' in user.client.get("/signalpost/?list").content.decode()


@sqlite
def test_without_a_map_nothing_leads_to_it(
    database: str, user: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.durable import admin_urls

    [one] = owed(database)
    monkeypatch.setattr(admin_urls, "urlpatterns", admin_urls.urlpatterns[:-1])
    clear_url_caches()

    for page in (user.open(), user.open(f"{one}/change/"), user.open(model="message")):
        assert "Map of signals" not in page
        assert "/signalpost/?list" not in page
        assert "tests.admin.paid" in page
    index = user.client.get(f"/{database}/").content.decode()
    assert "Deliveries" in index
    assert "Map of signals" not in index


@sqlite
def test_entry_of_the_map_stands_beside_the_deliveries(database: str, user: Staff) -> None:
    index = user.client.get(f"/{database}/").content.decode()

    for name in ("delivery", "message", "worker", "map"):
        assert f'"/{database}/signalpost/{name}/"' in index
    assert user.client.get(f"/{database}/signalpost/map/")["Location"] == "/signalpost/"


@pytest.mark.parametrize("database", ["file"], indirect=True, ids=["sqlite"])
def test_each_site_shows_one_database(database: str, user: Staff) -> None:
    [one] = owed(database)
    other = Staff("default", user.client, user.user)

    assert listed(user) == [one]
    assert listed(other) == []


def test_registering_again_chooses_another_database() -> None:
    site = admin.AdminSite()
    register(site)
    before = [site.get_model_admin(model).using for model in (Delivery, Message, Worker)]
    register(site, using="orders")

    assert before == ["default"] * 3
    assert [site.get_model_admin(m).using for m in (Delivery, Message, Worker)] == ["orders"] * 3


@pytest.mark.parametrize(
    ("model", "kind"), [(Delivery, DeliveryAdmin), (Message, MessageAdmin), (Worker, WorkerAdmin)]
)
@pytest.mark.usefixtures("user")
@sqlite
def test_django_finds_nothing_wrong_with_the_admin(database: str, model: Any, kind: Any) -> None:
    assert kind(model, SITES[database]).check() == []


@sqlite
def test_unfinished_deliveries_are_counted_by_their_state(database: str, user: Staff) -> None:
    owed(database)
    assert "1 ready" in words(user.open(model="message"))
    drain(database)
    assert "ready" not in words(user.open(model="message")).split("Filter")[0]
