from __future__ import annotations

import threading
from typing import Any

from django.db import connections

from signalpost import Signal
from signalpost.testing import drain

paid = Signal(name="tests.first_use.paid")


def note(**kwargs: Any) -> None: ...


def test_send_may_be_what_opens_the_connection(database: str, on: Any) -> None:
    on(paid, durable="tests.first_use", using=database)(note)
    raised: list[BaseException] = []

    def send() -> None:
        try:
            paid.send(None, number=1)
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=send)  # with connections of its own
    thread.start()
    thread.join()
    assert raised == []
    assert drain(database).done == 1
