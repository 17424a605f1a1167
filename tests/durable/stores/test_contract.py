"""Each store obeys the contract."""

from __future__ import annotations

import pytest

# So that a failed assertion shows its values.
pytest.register_assert_rewrite("signalpost.testing.store_contract")

from signalpost.testing.store_contract import StoreContract  # noqa: E402 - rewritten from here on
from tests.durable.stores.subjects import DatabaseSubject, MemorySubject  # noqa: E402 - the same


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def subject(self) -> MemorySubject:
        return MemorySubject()


class TestDatabaseStore(StoreContract):
    @pytest.fixture
    def subject(self, database: str) -> DatabaseSubject:
        return DatabaseSubject(database)
