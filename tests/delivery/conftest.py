from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import signals

from tests import services
from tests.delivery.connections import Connected
from tests.store.models import Customer, Item, Order, PriorityOrder, Remembering, Token

# Children first.
MODELS = (PriorityOrder, Order, Customer, Token, Remembering, Item)
SIGNALS = ("pre_save", "post_save", "pre_delete", "post_delete", "m2m_changed")


@pytest.fixture(autouse=True)
def databases(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """All databases, where each test commits for real. Django's flush takes 0.5 s; this, 10 ms."""
    with django_db_blocker.unblock():
        yield
        for alias in ("default", "second", "postgres"):
            if services.missing(alias) is not None:
                continue
            for model in (Order.tags.through, *MODELS):
                rows = model._base_manager.using(alias)
                rows._raw_delete(alias)


@pytest.fixture(params=["default", "postgres"], ids=["sqlite", "postgresql"])
def using(request: pytest.FixtureRequest) -> str:
    """The alias of a database."""
    services.need(request.param)
    return str(request.param)


@pytest.fixture
def on() -> Iterator[Any]:
    """Connects receivers for one test: ``@on(post_save, sender=Order, ...)``."""
    connected = Connected()
    before = {name: list(getattr(signals, name).receivers) for name in SIGNALS}
    yield connected
    connected.close()
    for name, receivers in before.items():
        getattr(signals, name).receivers = receivers
