"""Hypothesis' profile of these tests."""

from __future__ import annotations

from tests import profiles

pytest_configure = profiles.choose
