"""When a signal is sent: before the change that it tells of, or after."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from signalpost.dispatch.names import signal_name

if TYPE_CHECKING:
    from signalpost.dispatch.options import Connecting


def refuse_before_the_change(connecting: Connecting, option: str) -> None:
    """Refuse an option that delivers after the commit, on a signal such as `pre_save`."""
    module, _, name = signal_name(connecting.signal).rpartition(".")
    twin = f"post_{name.removeprefix('pre_')}"
    if name.startswith("pre_") and hasattr(sys.modules.get(module), twin):
        raise connecting.refusal(
            f"{option}= makes no sense on '{name}', which is sent before the change is made: "
            f"the change may never be. Connect to '{twin}' instead."
        )
