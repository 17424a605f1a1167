"""Why a port can't be had, in one line."""

from __future__ import annotations

import errno

from demonstration.errors import DemoError


def port_error(error: OSError, *, port: int, server: str, setting: str) -> DemoError:
    """Return the error to raise for `error`, which `server` got when it wanted `port`."""
    if error.errno == errno.EADDRINUSE:
        reason = "it is in use"
    elif error.errno == errno.EACCES:
        reason = "this user may not open it"
    else:
        reason = str(error)
    return DemoError(
        f"The {server} can't listen on 127.0.0.1 port {port}: {reason}. "
        f"Set {setting} to another port, or to 0 for any free one."
    )
