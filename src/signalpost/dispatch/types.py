"""The types that signatures in this package share. Imported by type checkers only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

Receiver: TypeAlias = Callable[..., Any]
Responses: TypeAlias = list[tuple[Receiver, Any]]
#: What a plan is run by: the signal, the sender, the payload.
Run: TypeAlias = Callable[[Any, Any, dict[str, Any]], Responses]
#: What is done about a receiver's exception: told of the receiver and the error. None: raise it.
OnError: TypeAlias = Callable[[Receiver, Exception], object]


class ConnectOptions(TypedDict, total=False):
    """What `connect` and `@receiver` take beyond `sender`, `weak`, `dispatch_uid` and `priority`."""

    #: Called for subclasses of the sender too: children and proxies of a model. Default: False.
    subclasses: bool
    #: The receivers, or their names, that this one runs before: one, or several in a list.
    before: Receiver | str | Sequence[Receiver | str] | None
    #: The receivers, or their names, that this one runs after: one, or several in a list.
    after: Receiver | str | Sequence[Receiver | str] | None
    #: Not called where the signal is sent with ``raw=True``, as by `loaddata`. Default: False.
    skip_raw: bool
    #: A function of what is sent: called only where it answers with something true.
    when: Callable[..., object] | None
    #: The fields, of which one has to have changed: on `pre_save` and `post_save`.
    fields: str | Sequence[str] | None
    #: Called for each object of a bulk write too: on `pre_save` and `post_save`. Default: False.
    bulk: bool
    #: Called after the transaction commits, and not at all where it is rolled back. Default: False.
    on_commit: bool
    #: With `on_commit`: once for each key in a transaction. A path, "instance.pk", or a function of
    #: what is sent.
    coalesce: str | Callable[..., Any] | None
    #: Recorded in the sender's transaction, and run by a worker until it succeeds. A text: the key
    #: that its deliveries are stored under, instead of the receiver's name. Default: False.
    durable: bool | str
    #: With `durable`: keys that it had before, whose deliveries are its own.
    aliases: Sequence[str] | None
    #: With `durable`: how often it is begun before the delivery is dead. Default: 12.
    max_attempts: int | None
    #: With `durable`: seconds until it is run again, a list of them, or a function of the attempt.
    #: Default: doubling from 2 seconds to an hour, of which a random half is waited.
    backoff: float | Sequence[float] | Callable[[int], float] | None
    #: With `durable`: its lane, for which a worker may be kept. Default: "default".
    queue: str | None
    #: With `durable`: those of one key run one by one, in their order. A path or a function.
    key: str | Callable[..., object] | None
    #: With `key`: "block", the default: one that fails holds up those after it; or "skip".
    on_failure: Literal["block", "skip"] | None
    #: With `durable`: its work in the same database is done exactly once. Default: False.
    atomic: bool
    #: With `durable`: seconds after which a run is stopped, and fails.
    timeout: float | None
    #: With `durable`: seconds from the send until it is due.
    delay: float | None
    #: With `durable`: "skip", the default, or "fail", where a model instance is gone by then.
    on_missing: Literal["skip", "fail"] | None
    #: With `durable`: the database that it is recorded in, where the signal sends no `using`.
    using: str | None
    #: False: not called again for the same sender and instance while it runs. Default: True.
    reentrant: bool
    #: "raise", the default, or "log": what it raises is logged and the sender goes on.
    on_error: Literal["raise", "log"]


class ReceiverOptions(ConnectOptions, total=False):
    """What `@receiver` takes beyond the signal."""

    sender: Any
    weak: bool
    dispatch_uid: Any
    priority: float
