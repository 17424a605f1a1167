"""Every error that Signalpost raises on purpose.

::

    SignalpostError
    ├── DeclarationError (TypeError, ValueError)  a signal was declared wrongly
    ├── PayloadError (TypeError)                  a send breaks what its signal declares
    ├── ReceiverError (TypeError, ValueError)     a receiver was refused at connect
    ├── RunningLoopError (RuntimeError)           `send` with async receivers inside a running loop
    ├── RecordingError (TypeError, ValueError)    a durable delivery can't be recorded
    ├── PayloadUnreadable (ValueError)            a recorded payload can't be restored
    ├── DeliveryTimeout (TimeoutError)            a durable receiver took longer than its timeout
    ├── Retry                                     raised by a durable receiver: run me again
    └── GiveUp                                    raised by a durable receiver: don't run me again

and, not raised but warned of::

    DeadReceiverWarning (UserWarning)             a receiver died before its signal was sent

Each error is also the builtin that Django raises, or Python would, in the same place, so code that
catches those goes on working.
"""

from __future__ import annotations


class SignalpostError(Exception):
    """The base of all errors that Signalpost raises on purpose."""


class DeclarationError(SignalpostError, TypeError, ValueError):
    """A signal was declared wrongly: its payload isn't a list of names, a name can't be sent, and so on."""


class PayloadError(SignalpostError, TypeError):
    """A send lacks an argument that its signal declares, or has one that it doesn't."""


class ReceiverError(SignalpostError, TypeError, ValueError):
    """A receiver can't be connected: it isn't callable, or can't take what the signal sends.

    `django.dispatch` raises a TypeError for the first and a ValueError for the second, so this is
    both.
    """


class RunningLoopError(SignalpostError, RuntimeError):
    """`send` was called inside a running event loop on a signal that has async receivers.

    No receiver has been called. Use ``await signal.asend(...)`` there.
    """


class RecordingError(SignalpostError, TypeError, ValueError):
    """A delivery to a durable receiver can't be recorded, so the send is refused; nothing is written.

    The text names the argument that can't be stored, or what is amiss with the database.
    """


class PayloadUnreadable(SignalpostError, ValueError):
    """What was recorded can't be restored in this process: a class is gone, or the row is damaged."""


class DeliveryTimeout(SignalpostError, TimeoutError):
    """A durable receiver ran longer than its ``timeout=``."""


class Retry(SignalpostError):
    """Raised by a durable receiver to be run again: after so many seconds, or as its backoff says.

    Counts as an attempt: after `max_attempts` the delivery is dead.
    """

    def __init__(
        self, reason: object = "asked to be run again", *, after: float | None = None
    ) -> None:
        seconds: object = after
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float, type(None))):
            raise TypeError(f"Retry(after={after!r}): after is a number of seconds, or None.")
        super().__init__(reason)
        #: Seconds, or None for what the receiver's backoff gives.
        self.after = after


class GiveUp(SignalpostError):
    """Raised by a durable receiver that running it again won't help: the delivery is dead at once."""


class DeadReceiverWarning(UserWarning):
    """A receiver that was connected weakly died before its signal was ever sent: nothing kept it.

    A lambda, a local function or a partial that was made where it was connected, or a method of an
    object that was.
    """
