"""The temperature that a signal is tested at."""

from __future__ import annotations

import pytest

from tests.dispatch.heat import HOT


@pytest.fixture(params=[pytest.param(0, id="cold"), pytest.param(HOT, id="hot")])
def sends_before(request: pytest.FixtureRequest) -> int:
    """How often a signal is sent before the send that the test looks at."""
    sends: int = request.param
    return sends
