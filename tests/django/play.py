"""Play scenarios in this process: python -m tests.django.play NAME ...

A scenario is a generator. All of them begin; where they yield, `django.dispatch` is adopted; then
each goes on, and what they return is printed as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from signalpost.django import adopt
from tests.django import patched_scenarios, scenarios
from tests.django.scenarios import Scenario


def play(scenarios: dict[str, Scenario]) -> dict[str, Any]:
    for scenario in scenarios.values():
        next(scenario)
    observed: dict[str, Any] = {"adopt": adopt()}
    for name, scenario in scenarios.items():
        try:
            next(scenario)
        except StopIteration as ended:
            observed[name] = ended.value
    return observed


def named(names: list[str]) -> dict[str, Scenario]:
    known = {**vars(patched_scenarios), **vars(scenarios)}
    return {name: known[name]() for name in names}


if __name__ == "__main__":
    print(json.dumps(play(named(sys.argv[1:]))))
