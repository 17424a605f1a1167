from __future__ import annotations

from typing import Any

from django.db import transaction

from signalpost import Signal
from signalpost.testing import drain

paid = Signal(name="tests.paid")


def test_a_recorded_delivery_is_run(database: str, on: Any) -> None:
    seen: list[int] = []

    @on(paid, durable="tests.note", using=database)
    def note(sender: Any, number: int, **kwargs: Any) -> None:
        seen.append(number)

    with transaction.atomic(using=database):
        paid.send(sender=None, number=1)
        assert seen == []
    assert drain(database).done == 1
    assert seen == [1]
