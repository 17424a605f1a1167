"""The example blog, shown: `python demo.py`, or `make demo` at the root of the repository.

Serves the blog and a mail server on this machine, posts one comment as a reader would, shows the
mail and the trace of what fired, then leaves the site to you until Ctrl-C. Environment:

- `ONCE=1`: exit after the first comment, with 0 only if its mail arrived;
- `DURABLE=1`: the mail is a durable delivery, and its server is down when the comment is posted;
- `PORT`: where the site should be (8000, or the next free port);
- `EMAIL_PORT`: where the mail server should be (any free port).
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from io import TextIOWrapper
from typing import Any

from demonstration.errors import DemoError
from demonstration.options import Options, read_options
from demonstration.screen import Screen

NEEDED = {"django": "Django", "signalpost": "signalpost", "aiosmtpd": "aiosmtpd"}
EXIT_INTERRUPTED = 130


def main() -> int:
    """Return the exit code: 0 for a demo that worked, also when Ctrl-C ended it while it served."""
    for stream in (sys.stdout, sys.stderr):
        # A mail may hold characters that this terminal's encoding hasn't got.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    screen = Screen(sys.stdout, sys.stderr)
    try:
        _stop_cleanly_on_signals()
        options = read_options(os.environ)
        _require_dependencies()
        _run(options, screen)
    except DemoError as error:
        screen.error(str(error))
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _run(options: Options, screen: Screen) -> None:
    if options.durable:
        from demonstration.durable import run_durable

        run_durable(options, screen)
    else:
        from demonstration.show import run

        run(options, screen)


def _stop_cleanly_on_signals() -> None:
    """Have SIGINT and SIGTERM raise KeyboardInterrupt, also if a shell had SIGINT ignored."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)


def _require_dependencies() -> None:
    for module, distribution in NEEDED.items():
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            raise DemoError(
                f"The demo needs {distribution}, which {sys.executable} can't import. "
                f"Run 'make demo' at the root of the repository, which installs it."
            ) from error


if __name__ == "__main__":
    sys.exit(main())
