"""`SIGNALPOST = {"ADOPT": False}`: Django's dispatcher stays Django's, and ours works beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.django.conftest import WriteApp

PROGRAM = """
import json, sys
sys.path.append(sys.argv[1])
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["signalpost.django", "shop"], SIGNALPOST={"ADOPT": False}, SECRET_KEY="tests"
)
before = dict(vars(django.dispatch.Signal)) if hasattr(django, "dispatch") else None
from django.dispatch import Signal
from django.db.models.signals import ModelSignal, post_save
before = dict(vars(Signal)), dict(vars(ModelSignal))
django.setup()

from django.core.checks import run_checks
from shop.receivers import called
from shop.signals import paid, sent
import signalpost

sent_to = [response for _, response in sent.send(sender=None, order=1)]
paid_to = [response for _, response in paid.send(sender=None, order=1)]
try:
    paid.send(sender=None, ordre=1)
except signalpost.PayloadError as error:
    refused = str(error)
try:
    Signal(providing_args=["order"])
except TypeError as error:
    unknown = type(error).__name__
saved = [response for _, response in post_save.send(sender=object, instance=1)]
print(json.dumps({
    "unchanged": before == (dict(vars(Signal)), dict(vars(ModelSignal))),
    "sent": sent_to, "paid": paid_to, "refused": refused, "unknown": unknown, "saved": saved,
    "checks": [message.id for message in run_checks() if message.id.startswith("signalpost")],
    "names": [paid.name, hasattr(sent, "name")],
}))
"""


@pytest.fixture
def observed(write_app: WriteApp, tmp_path: Path) -> Any:
    write_app(
        "shop",
        signals="""
            import signalpost
            from django.dispatch import Signal
            paid = signalpost.Signal(providing_args=["order"])
            sent = Signal()
        """,
        receivers="""
            import django.dispatch
            import signalpost
            from django.db.models.signals import post_save
            from .signals import paid, sent

            called = []

            @django.dispatch.receiver([paid, sent])
            def by_djangos_decorator(order, **kwargs):
                return f"Django's: {order}"

            @signalpost.receiver([paid, sent])
            def by_our_decorator(order, **kwargs):
                return f"ours: {order}"

            @signalpost.receiver(paid, priority=1)
            def first(order):
                return f"first: {order}"

            @signalpost.receiver(post_save, weak=False)
            def saved(instance, **kwargs):
                return f"saved: {instance}"
        """,
    )
    source = Path(sys.modules["signalpost"].__file__ or "").resolve().parents[1]
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(source)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    return json.loads(process.stdout)


def test_djangos_dispatcher_stays_and_ours_works_beside_it(observed: Any) -> None:
    assert observed == {
        "unchanged": True,
        "sent": ["Django's: 1", "ours: 1"],
        "paid": ["first: 1", "Django's: 1", "ours: 1"],
        "refused": (
            "Cannot send signal 'shop.signals.paid': the payload lacks 'order' and has 'ordre', "
            "which the signal doesn't declare. The signal sends (order). Did you mean 'order'?"
        ),
        "unknown": "TypeError",
        "saved": ["saved: 1"],
        "checks": [],
        "names": ["shop.signals.paid", False],
    }


DELIVERY = """
import asyncio, json
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "signalpost.django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SIGNALPOST={"ADOPT": False}, SECRET_KEY="tests", AUTODISCOVER=[],
)
django.setup()
from django.core.management import call_command
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models.signals import post_save, pre_save
import signalpost
call_command("migrate", verbosity=0)
seen = []

@signalpost.receiver(post_save, sender=ContentType, on_commit=True, coalesce="instance.pk")
def later(instance, **kwargs):
    seen.append(instance.model)

@signalpost.receiver(post_save, sender=ContentType, when=lambda instance: instance.model == "b")
async def when(instance, **kwargs):
    seen.append("async " + instance.model)

@signalpost.receiver(post_save, sender=ContentType, on_error="log", weak=True)
def fails(**kwargs):
    ContentType.objects.create(app_label=None)

import logging
logging.disable()
with transaction.atomic():
    row = ContentType(app_label="x", model="a")
    row.save()
    row.model = "b"
    row.save()
    assert seen == ["async b"], seen
assert post_save.disconnect(later, sender=ContentType)
row.save()
refused = []
for options in ({"fields": ["model"]}, {"priority": 1}, {"on_comit": True}):
    try:
        signalpost.receiver(post_save, sender=ContentType, **options)(later)
    except TypeError as error:
        refused.append(type(error).__name__)
try:
    signalpost.receiver(pre_save, sender=ContentType, on_commit=True)(later)
except signalpost.ReceiverError as error:
    refused.append(str(error))
print(json.dumps([seen, refused]))
"""


def test_delivery_works_on_djangos_own_signals_too(tmp_path: Path) -> None:
    source = Path(sys.modules["signalpost"].__file__ or "").resolve().parents[1]
    process = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            f"import sys; sys.path.append({str(source)!r})" + DELIVERY,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert process.stderr == ""
    seen, refused = json.loads(process.stdout)
    assert seen == ["async b", "b", "async b"]
    assert refused[:3] == ["ReceiverError", "ReceiverError", "TypeError"]
    assert "on_commit= makes no sense on 'pre_save'" in refused[3]
