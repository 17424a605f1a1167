"""`adopt()`: what becomes of the signals that are there already."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOGETHER = (
    "adopt_again",
    "connections_made_before",
    "receivers_that_die",
    "senders_that_die",
    "instances_of_subclasses",
    "names_after_adoption",
    "first_use_in_many_threads",
    "exit_with_connections",
)


def play(folder: Path, *scenarios: str) -> Any:
    """What these scenarios observe, played together in a process of their own."""
    process = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.django.play", *scenarios],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.stderr == ""  # nor does anything complain when the interpreter exits
    assert process.returncode == 0
    observed = json.loads(process.stdout)
    assert observed.pop("adopt") is True
    return observed


@pytest.fixture(scope="module")
def observed(checkout: Path) -> Any:
    """What all the scenarios observe that leave Django's classes alone."""
    return play(checkout, *TOGETHER)


def test_it_says_whether_it_changed_anything(observed: Any) -> None:
    assert observed["adopt_again"] == {
        "before": True,
        "again": [False, False],
        "same class": True,
        "same subclass": True,
        "ours": True,
        "configured": False,
    }


def test_signals_keep_the_connections_that_they_have(observed: Any) -> None:
    every = ["function", "strong", "method", "Host", "another", "function"]
    any_sender = ["function", "strong", "method", "Host", "function"]
    kept = {
        "before": every,
        "after": [every, any_sender],
        "hot as after": True,
        "rows": 6,
        "disconnected": [True, False, True, True, True],
        "in the end": ["strong", "Host", "late"],
    }

    assert observed["connections_made_before"] == [kept, kept]


def test_receivers_connected_before_still_die(observed: Any) -> None:
    assert observed["receivers_that_die"] == {
        "before": [["function"], 1],
        "after": [["function"], 1],
        "untouched": [True, 1],
    }


def test_senders_connected_before_still_die(observed: Any) -> None:
    assert observed["senders_that_die"] == {
        "alive": [["function"], ["function"]],
        "dead": [],
    }


def test_instances_of_subclasses_are_adopted_too(observed: Any) -> None:
    assert observed["instances_of_subclasses"] == {
        "before": ["before", ["function"], True],
        "after": ["after", ["function"], None],
        "built in": ["ModelSignal", True],
    }


def test_live_receivers_that_was_replaced_before_is_left_alone(checkout: Path) -> None:
    both = ["patched function", "patched another", "patched function"]
    new = ["patched another", "patched function"]

    assert play(checkout, "live_receivers_patched_before")["live_receivers_patched_before"] == {
        "left alone": True,
        "answers": [both, both, new, *[["patched function"] * 2] * 2, ["patched function"]],
        "gone": [True, True, True],
    }


def test_connect_of_model_signals_that_was_replaced_before_is_left_alone(checkout: Path) -> None:
    assert play(checkout, "model_connect_patched_before")["model_connect_patched_before"] == {
        "left alone": True,
        "told": ["patched"],
        "answers": ["function"],
    }


def test_send_that_was_wrapped_before_is_left_alone(checkout: Path) -> None:
    assert play(checkout, "send_wrapped_before")["send_wrapped_before"] == {
        "left alone": True,
        "answers": [["traced", "function"], ["traced", "function"]],
    }


def test_signals_are_named_after_the_module_that_made_them(observed: Any) -> None:
    assert observed["names_after_adoption"] == [
        "django.db.models.signals.post_save",
        "django.db.models.signals.m2m_changed",
        "django.core.signals.request_finished",
        "django.core.signals.setting_changed",
        "shop.events.paid",
        "blog.signals.new_comment_added",
        "blog.signals.<Signal at line 3>",
        "<Signal 'django.db.models.signals.class_prepared' (0 receivers)>",
    ]


def test_no_connection_is_lost_where_threads_use_a_signal_first(observed: Any) -> None:
    assert observed["first_use_in_many_threads"] == {"always": True, "complete": True}


def test_interpreter_exits_quietly(observed: Any) -> None:
    # That nothing was written to stderr is seen where the scenarios are played.
    assert observed["exit_with_connections"] == ["heard"]
