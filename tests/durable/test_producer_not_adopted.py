"""Where `django.dispatch` isn't adopted, its own signals have durable receivers all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_signals_that_are_not_adopted_record_and_deliver(checkout: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.durable.not_adopted"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr

    found = json.loads(done.stdout)

    assert found["adopted"] is False
    assert found["after a rollback"] == 0
    assert found["rows"] == [
        ["tests.note", None],
        ["__main__.deleted", None],
        ["__main__.later", "5"],
    ]
    assert sorted(found["seen"]) == [
        ["ContentType", "one", "django.db.models.signals.post_save", 1],
        ["deleted", "skipped"],
        ["later", 5],
    ]
    assert found["after disconnect"] == 0
    before, fields = found["refused"]
    assert "durable= makes no sense on 'pre_save', which is sent before the change" in before
    assert "with fields= to <django.db.models.signals.ModelSignal" in fields
    assert "that option needs django.dispatch to be adopted" in fields
