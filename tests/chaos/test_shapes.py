from __future__ import annotations

import random

from tests.chaos.shapes import shape_of


def test_workers_that_settle_the_rest_look_into_each_lane() -> None:
    """By chance all of them had one lane only, and the other one's deliveries counted as lost."""
    chance = random.Random(1)
    shapes = [shape_of(chance, 1.0, armed=False, stops=True) for _ in range(100)]
    assert {shape.lanes for shape in shapes} == {()}
    assert {shape.failpoint for shape in shapes} == {""}
