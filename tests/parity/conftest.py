"""Readable comparisons, and Hypothesis' profile of these tests."""

from __future__ import annotations

import pytest

from tests import profiles

pytest.register_assert_rewrite("tests.parity.compare")

pytest_configure = profiles.choose
