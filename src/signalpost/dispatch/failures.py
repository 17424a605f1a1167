"""What `send_robust` logs of a receiver that failed."""

from __future__ import annotations

from signalpost.dispatch.names import short_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Django's logger, which people have configured, for our own signals too.
LOGGER = "django.dispatch"

# Django's text, which people's filters and tests look for.
_MESSAGES = {
    method: f"Error calling %s in Signal.{method}() (%s)"
    for method in ("send", "send_robust", "asend_robust")
}
_MESSAGES["on commit"] = "Error calling %s on commit (%s)"


def log_failure(receiver: Any, error: Exception, method: str) -> None:
    """Log at ERROR that a receiver failed, in a send `method` or ``"on commit"``."""
    import logging  # 10 ms, and most processes have it anyway

    logging.getLogger(LOGGER).error(_MESSAGES[method], short_name(receiver), error, exc_info=error)
