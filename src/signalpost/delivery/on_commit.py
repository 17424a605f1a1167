"""Receivers that run after the commit: ``on_commit=True``, and `Signal.send_on_commit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from signalpost.delivery.coalescing import Coalescing, key_function
from signalpost.delivery.moments import refuse_before_the_change
from signalpost.dispatch.names import short_name

if TYPE_CHECKING:
    from signalpost.dispatch.options import Connecting
    from signalpost.dispatch.rules import Call
    from signalpost.dispatch.signal import Signal


class Transactions(Protocol):
    """What a delivery needs of the databases. `using` is a database's alias."""

    def default(self) -> str:
        """The alias where the signal doesn't name one."""
        ...

    def runs_at_once(self, using: str) -> bool:
        """Whether there is no transaction to wait for."""
        ...

    def on_commit(self, callback: Callable[[], None], using: str) -> None:
        """Have the callback run after the commit; drop it where its savepoint is rolled back."""
        ...

    def savepoints(self, using: str) -> frozenset[Any]:
        """The savepoints that a callback registered now depends on."""
        ...

    def connection(self, using: str) -> Any:
        """The connection, one object for each thread."""
        ...

    def snapshot(self, named: dict[str, Any]) -> dict[str, Any]:
        """The payload as it is now, whatever the sender does with it afterwards."""
        ...


class OnCommit:
    """Delivers to one receiver after the commit."""

    kind = "on commit"

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions
        self.coalescing: Coalescing | None = None

    def __call__(self, call: Call) -> None:
        using = call.named.get("using") or self.transactions.default()
        if self.transactions.runs_at_once(using):
            call.run_later()
            return
        key = None if self.coalescing is None else self.coalescing.key_of(call)
        kept = call.kept(self.transactions.snapshot)
        if self.coalescing is None:
            self.transactions.on_commit(_named_after(kept.run_later, call.receiver), using)
        else:
            self.coalescing.register(self.transactions, using, key, kept)


class Options:
    """The options of `connect` that are about delivery, for one implementation of transactions."""

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions

    def on_commit(self, connecting: Connecting, value: Any) -> None:
        """``on_commit=True``."""
        connecting.check_flag("on_commit", value)
        refuse_before_the_change(connecting, "on_commit")
        connecting.rules.deliver = OnCommit(self.transactions)

    def coalesce(self, connecting: Connecting, value: Any) -> None:
        """``coalesce="instance.pk"`` or a function of the payload."""
        deliver = connecting.rules.deliver
        if not isinstance(deliver, OnCommit):
            raise connecting.refusal(
                "coalesce= makes one run of several in a transaction, so it needs on_commit=True. "
                "Add that, or leave coalesce out."
            )
        deliver.coalescing = Coalescing(key_function(connecting, value))


def send_on_commit(
    transactions: Transactions,
    signal: Signal,
    sender: Any,
    using: str | None,
    named: dict[str, Any],
) -> None:
    """What `Signal.send_on_commit` does."""
    payload = signal._payload
    alias = using or transactions.default()
    if (using is not None and payload is None) or (
        payload is not None and "using" in payload.names
    ):
        named = {**named, "using": alias}
    if payload is not None:
        payload.completed(signal, named)  # at once, where the sender is to blame
    if transactions.runs_at_once(alias):
        signal.send_robust(sender, **named)
        return
    kept = transactions.snapshot(named)

    def send() -> None:
        signal.send_robust(sender, **kept)

    transactions.on_commit(send, alias)


def _named_after(callback: Callable[[], None], receiver: Any) -> Callable[[], None]:
    """The callback under the receiver's name, for those who list what waits for the commit."""

    def run() -> None:
        callback()

    run.__qualname__ = short_name(receiver)
    run.__wrapped__ = receiver  # type: ignore[attr-defined]  # as functools.wraps does
    return run
