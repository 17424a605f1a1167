"""Readable comparisons."""

from __future__ import annotations

import pytest

# test_reaching_in.py compares with it.
pytest.register_assert_rewrite("tests.parity.compare", "tests.thirdparty.playing")
