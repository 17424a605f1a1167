"""What a receiver was connected with beyond its sender: whether, when and how it is called.

In a send the rules are asked in this order: the conditions (`skip_raw`, `when`, `fields`), then the
delivery (`on_commit`), and where the receiver runs, now or later, `reentrant` and `on_error`.
"""

from __future__ import annotations

from _contextvars import ContextVar

from signalpost.dispatch import hooks
from signalpost.dispatch.failures import log_failure
from signalpost.dispatch.signatures import parameters_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from signalpost.dispatch.observing import Event
    from signalpost.dispatch.order import Matcher
    from signalpost.dispatch.signal import Signal
    from signalpost.dispatch.types import Receiver

    Condition: TypeAlias = Callable[["Call"], bool]
    Preparation: TypeAlias = Callable[["Call"], None]
    #: Sees to it that the call is made later: `Call.run_later`. May say what has become of it.
    Deliver: TypeAlias = Callable[["Call"], str | None]
    Running: TypeAlias = tuple["Rules", Any, Any]

# What the rules keep a receiver from being called by: (rules, sender, instance).
_running: ContextVar[tuple[Running, ...]] = ContextVar("signalpost_running", default=())

# What a run gives where `reentrant=False` kept the receiver from being called.
SKIPPED = object()


class Rules:
    """The rules of one connection, made by `options`."""

    __slots__ = (
        "__weakref__",
        "after",
        "before",
        "bulk",
        "conditions",
        "deliver",
        "is_async",
        "on_error",
        "options",
        "preparations",
        "reentrant",
        "subclasses",
    )

    after: tuple[Matcher, ...]
    before: tuple[Matcher, ...]
    bulk: bool
    conditions: list[Condition]
    deliver: Deliver | None
    is_async: bool
    on_error: str
    #: What it was made from, for those who list connections.
    options: dict[str, Any]
    preparations: list[Preparation]
    reentrant: bool
    subclasses: bool

    def __init__(self, *, is_async: bool = False) -> None:
        self.after = ()
        self.before = ()
        self.bulk = False
        self.conditions = []
        self.deliver = None
        self.is_async = is_async
        self.on_error = "raise"
        self.options = {}
        self.preparations = []
        self.reentrant = True
        self.subclasses = False

    @property
    def logs(self) -> bool:
        """Whether what the receiver raises is logged instead of raised."""
        return self.on_error == "log"


class Call:
    """A receiver that is about to be called: what conditions look at and deliveries keep."""

    __slots__ = (
        "__weakref__",
        "added",
        "cause",
        "named",
        "receiver",
        "rules",
        "sender",
        "shared",
        "signal",
    )

    #: What the rules add to the payload; a receiver is passed what it accepts of it.
    added: dict[str, Any]
    #: The event in which the call was put off till later, where somebody observes.
    cause: Event | None
    named: dict[str, Any]
    receiver: Receiver
    rules: Rules
    sender: Any
    #: What the preparations of one send share.
    shared: dict[str, Any]
    signal: Signal

    def __init__(
        self,
        receiver: Receiver,
        rules: Rules,
        signal: Signal,
        sender: Any,
        named: dict[str, Any],
        shared: dict[str, Any] | None = None,
    ) -> None:
        self.receiver = receiver
        self.rules = rules
        self.signal = signal
        self.sender = sender
        self.named = named
        self.added = {}
        self.cause = None
        self.shared = {} if shared is None else shared

    def kept(self, snapshot: Callable[[dict[str, Any]], dict[str, Any]]) -> Call:
        """The call with its payload as it is now, for later."""
        call = Call(self.receiver, self.rules, self.signal, self.sender, snapshot(self.named))
        call.added = self.added
        call.cause = self.cause
        return call

    def values(self) -> dict[str, Any]:
        """All that a receiver could be passed."""
        return {"signal": self.signal, "sender": self.sender, **self.named, **self.added}

    def invoke(self) -> Any:
        """Call the receiver; for an async one, what it gives to await."""
        declared = getattr(self.signal, "_payload", None) is not None
        if not declared and not self.added:
            return self.receiver(signal=self.signal, sender=self.sender, **self.named)
        parameters = parameters_of(self.receiver)
        values = self.values()
        if parameters.takes_others:
            return self.receiver(**values)
        kept = parameters.names
        if not declared:  # Django's rule: it is passed all that is sent
            kept = ("signal", "sender", *self.named, *kept)
        return self.receiver(**{name: values[name] for name in values if name in kept})

    def run(self) -> Any:
        """Call the receiver as `reentrant` and `on_error` say."""
        with _Running(self) as busy:
            if busy:
                return SKIPPED
            with hooks.protection(self.rules.logs), self._event():
                return self.invoke()

    async def arun(self) -> Any:
        """Async version of `run`."""
        with _Running(self) as busy:
            if busy:
                return SKIPPED
            async with hooks.protection(self.rules.logs):
                with self._event() as event:
                    return await (self.invoke() if event is None else event.steps(self.invoke()))

    def put_off(self, deliver: Deliver) -> None:
        """Have the call made later."""
        with self._event() as event:
            self.cause = event
            outcome = deliver(self)
            if event is not None and "has run" not in event.notes:
                event.outcome = outcome or "waits for commit"

    def _event(self) -> Any:
        make = hooks.observe
        return (
            hooks.NOTHING
            if make is None
            else make(self.signal, self.sender, self.receiver, cause=self.cause)
        )

    def run_later(self) -> None:
        """Call the receiver now that its sender has gone on: what it raises is logged."""
        if self.cause is not None:
            self.cause.notes["has run"] = True
        try:
            if self.rules.is_async:
                from asgiref.sync import async_to_sync

                async_to_sync(self.arun)()
            else:
                self.run()
        except Exception as error:  # noqa: BLE001 - there is nobody left to raise it to
            log_failure(self.receiver, error, "on commit")


class _Running:
    """Notes that the receiver runs; true to those that `reentrant=False` keeps from entering."""

    __slots__ = ("call", "entered")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.entered: Running | None = None

    def __enter__(self) -> bool:
        call = self.call
        if call.rules.reentrant:
            return False
        instance = call.named.get("instance")
        running = _running.get()
        for rules, sender, other in running:
            same = other is instance or (instance is not None and bool(other == instance))
            if rules is call.rules and sender is call.sender and same:
                return True
        self.entered = (call.rules, call.sender, instance)
        _running.set((*running, self.entered))
        return False

    def __exit__(self, *exc_info: object) -> None:
        if self.entered is not None:
            # Not by a token: receivers that are awaited together share one context.
            left = [entry for entry in _running.get() if entry is not self.entered]
            _running.set(tuple(left))
