"""``durable=True``: a delivery is recorded in the sender's transaction, and a worker runs it.

`Durable` is the delivery of one connection (`Rules.deliver`). A send's durable receivers are recorded
together, by the first of them whose turn comes: one message, one row for each of them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from signalpost.delivery import body, codec, receivers
from signalpost.delivery.retrying import Backoff, Exponential
from signalpost.delivery.store import NewDelivery, NewMessage
from signalpost.dispatch.names import receiver_name, signal_name
from signalpost.exceptions import RecordingError

if TYPE_CHECKING:
    from signalpost.dispatch.rules import Call, Condition, Rules
    from signalpost.dispatch.signal import Signal

#: A delivery's row, and what rules add to the payload for its receiver, encoded.
Owed: TypeAlias = tuple[NewDelivery, dict[str, Any]]

DEFAULT_LANE = "default"
DEFAULT_ATTEMPTS = 12
#: What a column of names holds. Longer keys are refused where they are declared.
NAME_LENGTH = 255


class Records(Protocol):
    """What recording needs of a store: `signalpost.delivery.store.Store` has it."""

    def record(self, message: NewMessage, deliveries: Sequence[NewDelivery]) -> None:
        """Write a message and its deliveries, in the caller's transaction where there is one."""
        ...


class Databases(Protocol):
    """What recording needs of the project's databases."""

    def alias(self, call: Call, using: str | None) -> str:
        """Where the call is recorded; `using` is what the receiver was connected with."""
        ...

    def store(self, alias: str) -> Records:
        """The store of that database."""
        ...

    def payload(self, call: Call, topic: str, alias: str) -> body.Sent:
        """The sender and the payload, as they are to be stored in that database."""
        ...

    def limit(self) -> int:
        """The most bytes that a body may have: `body.LOWEST_LIMIT` or more."""
        ...


@dataclass(slots=True)
class Options:
    """What the receiver was connected with, beside ``durable=True``."""

    aliases: tuple[str, ...] = ()
    max_attempts: int = DEFAULT_ATTEMPTS
    backoff: Backoff = field(default_factory=Exponential)
    queue: str = DEFAULT_LANE
    key_of: Callable[[Call], str] | None = None
    blocks: bool = True
    atomic: bool = False
    timeout: float | None = None
    delay: float = 0.0
    missing: str = "skip"
    using: str | None = None


class Durable:
    """The delivery of one connection: records what is sent, and knows whom it is for."""

    kind = "durable"

    def __init__(self, databases: Databases, signal: Signal, receiver: Any, rules: Rules) -> None:
        self.databases = databases
        self.key: str = receiver_name(receiver)
        self.options: Options = Options()
        # Weakly, since they hold this: what is disconnected is to be gone at once.
        self._rules = weakref.ref(rules)
        self._signal = weakref.ref(signal)
        self._receiver = receivers.reference_to(receiver)
        self._topic: str | None = None
        #: Whether the signal has the connection still, and the version of its registry that was so.
        self._stands: tuple[int, bool] = (-1, False)

    @property
    def rules(self) -> Rules | None:
        """The rules of the connection, while there is one."""
        return self._rules()

    @property
    def signal(self) -> Signal | None:
        """The signal, while it lives."""
        return self._signal()

    @property
    def receiver(self) -> Any:
        """The receiver, while it lives."""
        return self._receiver()

    @property
    def is_connected(self) -> bool:
        """Whether the receiver, its signal and the connection are there still.

        Whoever keeps a traceback of a send keeps these alive, so the signal is asked too.
        """
        signal, rules = self.signal, self.rules
        if signal is None or rules is None or self.receiver is None:
            return False
        registry = getattr(signal, "_registry", None)
        if registry is None:  # not ours: nobody knows
            return True
        version = registry.version
        if self._stands[0] != version:
            found = any(entry.rules is rules for entry in registry.entries())
            self._stands = version, found
        return self._stands[1]

    @property
    def topic(self) -> str:
        """The signal's name, which its messages are stored under."""
        if self._topic is not None:
            return self._topic
        name = signal_name(self.signal)
        if "<" not in name:  # else it may get a variable yet
            # Kept: a signal that isn't ours is looked for in all modules, which takes milliseconds.
            self._topic = name
        return name

    def owed(self, call: Call) -> Owed:
        """What the receiver is owed for the call. Raises where its key or its additions can't be."""
        options = self.options
        key = None if options.key_of is None else options.key_of(call)
        row = NewDelivery(self.key, options.queue, options.max_attempts, key, options.delay)
        return row, codec.encode_each(call.added) if call.added else {}

    def prepare(self, call: Call) -> None:
        """Join the other durable receivers of the send."""
        Recording.of(call).calls.append(weakref.ref(call))

    def __call__(self, call: Call) -> str:
        """Record the call, unless it was recorded with one before. What became of it, in a word."""
        recording = Recording.of(call)
        if not recording.has(call):
            recording.record(call)
        return "recorded"


class Recording:
    """The durable receivers of one send."""

    __slots__ = ("calls", "recorded", "verdicts")

    def __init__(self) -> None:
        # Weakly, since each call has this in what it shares: a send is to leave no circle behind,
        # which would keep its payload, and a receiver that is disconnected, for a while.
        self.calls: list[weakref.ref[Call]] = []
        self.recorded: list[weakref.ref[Call]] = []
        self.verdicts: list[tuple[weakref.ref[Call], bool]] = []

    @classmethod
    def of(cls, call: Call) -> Recording:
        """That of the call's send. Several sends may share a dictionary; each has a payload."""
        recordings: dict[int, Recording] = call.shared.setdefault("recordings", {})
        return recordings.setdefault(id(call.named), cls())

    def has(self, call: Call) -> bool:
        """Whether the call is recorded."""
        return any(each() is call for each in self.recorded)

    def wants(self, call: Call, conditions: Sequence[Condition]) -> bool:
        """Whether the rules let the call be made; they are asked once."""
        for known, verdict in self.verdicts:
            if known() is call:
                return verdict
        verdict = all(condition(call) for condition in conditions)
        self.verdicts.append((weakref.ref(call), verdict))
        return verdict

    def record(self, first: Call) -> None:
        """Write the message, and a row for each of the send's receivers in the same database."""
        durable = _durable_of(first)
        databases, alias = durable.databases, _alias_of(first)
        try:
            # One row for each key: a receiver that is connected twice is delivered to once.
            owed = {durable.key: durable.owed(first)}
            calls = [first]
            for call in self._beside(first):
                found = self._owed_in(alias, call)
                if found is not None:
                    owed.setdefault(_durable_of(call).key, found)
                    calls.append(call)
            message = body.write(
                databases.payload(first, durable.topic, alias),
                {key: added for key, (_, added) in owed.items() if added},
                limit=databases.limit,
            )
        except RecordingError as error:
            raise RecordingError(
                f"Cannot record signal '{durable.topic}' for durable receiver "
                f"'{receiver_name(first.receiver)}': {error}"
            ) from error.__cause__
        databases.store(alias).record(message, [row for row, _ in owed.values()])
        self.recorded += [weakref.ref(call) for call in calls]

    def _beside(self, first: Call) -> list[Call]:
        others = [call for each in self.calls if (call := each()) is not None]
        return [call for call in others if call is not first and not self.has(call)]

    def _owed_in(self, alias: str, call: Call) -> Owed | None:
        """What is owed to a receiver whose turn is yet to come, or None where it isn't, or not there.

        What it raises now it raises again in its turn, to be told of by its own name.
        """
        try:
            if all(condition(call) for condition in call.rules.conditions) and (
                _alias_of(call) == alias
            ):
                return _durable_of(call).owed(call)
        except Exception:  # noqa: BLE001, S110 - said above
            pass
        return None


def _durable_of(call: Call) -> Durable:
    durable: Any = call.rules.deliver
    return durable  # type: ignore[no-any-return]  # only durable calls come here


def _alias_of(call: Call) -> str:
    durable = _durable_of(call)
    return durable.databases.alias(call, durable.options.using)
