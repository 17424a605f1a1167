"""What the dispatcher leaves to others, who fill it in: it imports nobody above it.

`signalpost.django` gives the protection of the sender's transaction, the options that need the ORM
and the loading of models.
"""

from __future__ import annotations

from _contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from signalpost.dispatch.observing import Event
    from signalpost.dispatch.options import Connecting
    from signalpost.dispatch.signal import Signal


class Nothing:
    """Protects nothing, since there is no database, or observes nothing."""

    def __enter__(self) -> None:
        """Nothing to enter."""

    def __exit__(self, *exc_info: object) -> None:
        """Nothing to leave."""

    async def __aenter__(self) -> None:
        """Nothing to enter."""

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing to leave."""


NOTHING = Nothing()

#: Makes what undoes the database work of a receiver that fails, and no more: sync and async.
protect: Callable[[], Any] | None = None
#: Whether a receiver's database work could be mixed with others' in one transaction.
in_transaction: Callable[[], bool] | None = None
#: Has a function called with the model that an "app.Model" names, now or when it is loaded.
when_loaded: Callable[[str, Callable[[Any], object]], None] | None = None
#: What `Signal.send_on_commit` does with the signal, the sender, the database and the payload.
send_on_commit: Callable[[Signal, Any, str | None, dict[str, Any]], None] | None = None
#: The event in which the code of this context runs, while somebody observes.
event: ContextVar[Event | None] = ContextVar("signalpost_event", default=None)
#: Makes the event of a send, or of one receiver's run; None while nobody observes.
observe: type[Event] | None = None
#: The options of `connect` that come from elsewhere: what each does with its value.
options: dict[str, Callable[[Connecting, Any], None]] = {}


def sending(signal: Signal, sender: Any, *receivers: Any) -> Any:
    """The event of a send that reaches somebody, to be entered; nothing while nobody observes."""
    make = observe
    return NOTHING if make is None or not any(receivers) else make(signal, sender)


def protection(wanted: bool) -> Any:
    return protect() if wanted and protect is not None else NOTHING
