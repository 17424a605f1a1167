"""What is recorded, and when it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from signalpost.delivery.store import UNKEYED, NewDelivery, NewMessage
from signalpost.testing.store_contract.subject import Subject, claim, record, uids


class StoppedError(Exception):
    """Ends a transaction."""


class Recording:
    """A delivery is there if and only if its transaction was committed."""

    def test_what_is_recorded_is_what_is_claimed(self, subject: Subject) -> None:
        message = NewMessage(uuid4(), "shop.paid", '{"number":1}', '{"actor":2}', 3)
        subject.store.record(message, [NewDelivery("shop.note", "mail", 5)])
        [owed] = claim(subject.store, "mail").owed
        assert owed[1:6] == (message.uid, "shop.paid", 3, '{"number":1}', '{"actor":2}')
        assert owed[7:13] == ("shop.note", "mail", UNKEYED, None, 1, 5)
        assert not owed.suspect
        assert abs(owed.created_at - datetime.now(UTC)) < timedelta(days=1)

    def test_a_body_is_kept_to_the_byte(self, subject: Subject) -> None:
        body = '{"b":"\\u0000 \\ud800","a":"é \U0001f600 %s %% \'\\"","n":1.10}' + " " * 300_000
        record(subject.store, body=body)
        assert claim(subject.store).owed[0].body == body

    def test_each_receiver_of_a_message_has_a_delivery(self, subject: Subject) -> None:
        message = NewMessage(uuid4(), "tests.paid", "{}", "{}")
        deliveries = [NewDelivery(name, "default", 3) for name in ("tests.a", "tests.b")]
        subject.store.record(message, deliveries)
        assert [owed.receiver for owed in claim(subject.store).owed] == ["tests.a", "tests.b"]

    def test_a_second_delivery_of_a_message_to_a_receiver_is_refused(
        self, subject: Subject
    ) -> None:
        message = NewMessage(uuid4(), "tests.paid", "{}", "{}")
        twice = [NewDelivery("tests.note", "default", 3)] * 2
        with pytest.raises(subject.refused):
            subject.store.record(message, twice)
        assert subject.rows() == []

    def test_rollback_of_the_outer_transaction_leaves_nothing(self, subject: Subject) -> None:
        with pytest.raises(StoppedError), subject.store.transaction():
            with subject.store.transaction():
                record(subject.store)
            raise StoppedError
        assert subject.rows() == []

    def test_rollback_of_the_inner_transaction_leaves_the_outer(self, subject: Subject) -> None:
        with subject.store.transaction():
            kept = record(subject.store)
            with pytest.raises(StoppedError), subject.store.transaction():
                record(subject.store)
                raise StoppedError
        assert uids(claim(subject.store)) == [kept]
