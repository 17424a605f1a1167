"""`mute`: signals, receivers or senders that are silent for a while, in one thread or task."""

from __future__ import annotations

from signalpost.dispatch.blocks import Block
from signalpost.dispatch.dialect import holds_senders, is_ours
from signalpost.dispatch.entries import make_id
from signalpost.dispatch.known import known_signals
from signalpost.dispatch.names import receiver_name
from signalpost.dispatch.scopes import Scope
from signalpost.exceptions import DeclarationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from signalpost.dispatch.types import Receiver


class mute(Block):  # noqa: N801 - called as a function
    """Silence signals, or single receivers, in this thread or task.

    A context manager, and a decorator of functions, async functions and test classes. A muted
    signal has no listeners: its receivers aren't called, `has_listeners` is false, and Django
    deletes as fast as without receivers. With `sender`, one or a list of them, the signals are
    muted for these senders only.

    >>> from signalpost import Signal, mute
    >>> added = Signal()
    >>> def notify(**kwargs): return "mailed"
    >>> added.connect(notify)
    >>> with mute(added):
    ...     added.send(sender=None)
    []

    Other threads and tasks don't notice. What is connected meanwhile stays connected. Raises a
    DeclarationError for what is neither a signal nor a receiver.
    """

    def __init__(self, *signals_or_receivers: Any, sender: Any = None) -> None:
        if not signals_or_receivers:
            raise DeclarationError(
                "mute() needs to know what: name signals or receivers, mute(post_save)."
            )
        self._signals = [each for each in signals_or_receivers if is_ours(each)]
        self._receivers = [each for each in signals_or_receivers if not is_ours(each)]
        for each in self._receivers:
            if not callable(each):
                raise DeclarationError(
                    f"mute() silences signals of Signalpost or an adopted django.dispatch, and "
                    f"receivers, but {each!r} is neither."
                )
        self._names = [receiver_name(each) for each in self._receivers]
        self._senders: tuple[Any, ...] | None = None if sender is None else (sender,)
        senders: Any = sender
        if holds_senders(senders):
            self._senders = tuple(senders)
        self._scopes: list[Scope] = []

    def copy(self) -> Self:
        """Another block of the same kind, for a decorated function that calls itself."""
        another = type(self)(*self._signals, *self._receivers)
        another._senders = self._senders
        return another

    def begin(self) -> Self:
        """Mute from now on, until `end`."""
        signals = list(self._signals)
        if self._receivers:
            signals += [signal for signal in known_signals() if signal not in signals]
        scope = Scope(signals, silences=self._silences, everywhere=bool(self._receivers))
        scope.begin()
        self._scopes.append(scope)
        return self

    def end(self) -> None:
        """Mute no more."""
        self._scopes.pop().end()

    def _silences(self, signal: Any, sender: Any, receiver: Receiver | None) -> bool:
        if self._senders is not None and not any(each is sender for each in self._senders):
            return False
        if any(each is signal for each in self._signals):
            return True
        return any(make_id(receiver) == make_id(each) for each in self._receivers)
