"""Hypothesis' profile of these tests, and an end of what they leave."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests import profiles

pytest_configure = profiles.choose


@pytest.fixture(scope="module", autouse=True)
def collected() -> Iterator[None]:
    """Whatever a storm has left in circles ends here, not in the middle of another's test."""
    yield
    gc.collect()
