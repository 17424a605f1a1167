"""Hypothesis' profiles, for the folders that choose one."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# A slow machine isn't a failure, and CI must find the same thing twice.
# `--hypothesis-profile thorough` looks for what a normal run has no time to find.
_shared = {"deadline": None, "print_blob": True, "suppress_health_check": list(HealthCheck)}
settings.register_profile("dev", max_examples=30, **_shared)
settings.register_profile("ci", max_examples=30, derandomize=True, **_shared)
settings.register_profile("thorough", max_examples=2000, **_shared)


def choose(config: pytest.Config) -> None:
    """Load the profile of the command line, else the one for here."""
    chosen = config.getoption("--hypothesis-profile", default=None)
    settings.load_profile(chosen or ("ci" if os.environ.get("CI") else "dev"))
