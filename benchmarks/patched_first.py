"""`python -m benchmarks.patched_first COUNT EFFORT`: one row of `tables.patched`, as JSON.

A process of its own: an error tracker patches `_live_receivers` in the settings module, before
adoption, and what adoption finds there stays for the rest of the process.
"""

from __future__ import annotations

import json
import sys

from benchmarks.django_project import set_up_django
from benchmarks.timing import FULL, QUICK, Effort, Figures, interleave


def measure(count: int, effort: Effort) -> Figures:
    """Patch both classes, then adopt, then measure both."""
    set_up_django()
    import django.dispatch

    from benchmarks import untouched
    from benchmarks.adopted import plain_pair
    from benchmarks.live_receivers_patch import patch
    from benchmarks.receivers import model_receivers

    patch(django.dispatch.Signal)
    patch(untouched.Signal)
    return interleave(plain_pair(lambda: model_receivers(count)), effort)


if __name__ == "__main__":
    efforts = {effort.name: effort for effort in (QUICK, FULL)}
    print(json.dumps(measure(int(sys.argv[1]), efforts[sys.argv[2]])))
