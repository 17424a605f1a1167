"""How each database has the indexes of deliveries."""

from __future__ import annotations

import pytest
from django.db import connections

INDEXES = ("signalpost_delivery_ready", "signalpost_delivery_keyed", "signalpost_delivery_claimed")


@pytest.mark.parametrize("index", INDEXES)
def test_the_state_is_the_condition_of_an_index_or_its_first_column(
    database: str, index: str
) -> None:
    connection = connections[database]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "signalpost_delivery")[index]
    whole = not connection.features.supports_partial_indexes
    assert (found["columns"][0] == "state") is whole
