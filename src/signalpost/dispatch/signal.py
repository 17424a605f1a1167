"""`Signal`: what senders send and receivers connect to."""

from __future__ import annotations

from signalpost.dispatch import calls
from signalpost.dispatch.attributes import SignalAttributes
from signalpost.dispatch.dialect import check_priority, holds_senders, is_label
from signalpost.dispatch.entries import Entry, refer_to
from signalpost.dispatch.plan import plan_for
from signalpost.dispatch.signatures import is_async
from signalpost.dispatch.takeover import registry_of, take_over
from signalpost.dispatch.unheard import note
from signalpost.exceptions import DeclarationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Unpack

    from signalpost.dispatch.types import ConnectOptions, OnError, Receiver, Responses

# Whether `_live_receivers` has ever been replaced on a class, as sentry-sdk does on Django's. While
# it hasn't, a send needn't look (16 ns on 3.11).
_replaced = False


class SignalType(type):
    """Notices when `_live_receivers`, the documented patch point, is replaced on a class."""

    def __setattr__(cls, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "_live_receivers":
            global _replaced  # noqa: PLW0603 - read by each send: a global is the cheapest place
            _replaced = True


class Signal(SignalAttributes, metaclass=SignalType):
    """A signal that receivers connect to, as `django.dispatch.Signal`.

    `providing_args` declares the payload: a send with another set of arguments raises a
    PayloadError, a receiver that needs others is refused at connect, and receivers are passed just
    what they name. Without it any payload may be sent and receivers take ``**kwargs``, as in
    Django. ``Signal(True)`` still means `use_caching`, which is accepted and changes nothing: the
    receivers of each sender are always at hand.

    `name` is what errors, logs and listings call the signal; by default the dotted path of the
    variable that holds it. `doc` says when it is sent.

    >>> new_comment_added = Signal(providing_args=["comment"], name="new_comment_added")
    >>> def notify(comment): return f"mailed {comment}"
    >>> new_comment_added.connect(notify)
    >>> [response for receiver, response in new_comment_added.send(sender=None, comment="hello")]
    ['mailed hello']
    """

    def connect(
        self,
        receiver: Receiver,
        sender: Any = None,
        weak: bool = True,
        dispatch_uid: Any = None,
        *,
        priority: float = 0,
        **options: Unpack[ConnectOptions],
    ) -> None:
        """Connect a receiver, for one sender or, by default, for all.

        `sender` may also be a list of senders, and the name of a model, ``"app.Model"``.

        A receiver with a higher `priority` runs earlier; equal ones run in the order in which they
        were connected. Async receivers run after the sync ones. A receiver that is connected
        already (for that sender, or under that `dispatch_uid`) stays as it is.

        The options say for whom, when and how the receiver is called: see `ConnectOptions`.

        The receiver is referred to weakly, unless `weak` is false: a local function, a lambda or a
        method of an object that nobody keeps is gone at once. Takes the same time for the first
        receiver and for the hundred-thousandth.

        Raises a ReceiverError (a TypeError and a ValueError) for a receiver that could not be
        called with what the signal sends, and for an option that doesn't exist or can't be kept.
        """
        if holds_senders(sender):
            from signalpost.dispatch.senders import connect_each

            each = {"priority": priority, **options}
            connect_each(self, receiver, sender, weak, dispatch_uid, each)
            return
        dialect = self._dialect
        dialect.check(self, receiver)
        if self._payload is not None:
            self._payload.check(self, receiver, ("delivery",) if options.get("durable") else ())
        check_priority(self, priority)
        registry = registry_of(self)
        target = refer_to(receiver, registry.note_death, weak=weak, make_ref=dialect.make_ref)
        entry = Entry(
            dispatch_uid or dialect.make_id(receiver),
            target,
            is_async=is_async(receiver),
            priority=priority,
        )
        if options:
            from signalpost.dispatch.ruled import give_rules

            give_rules(entry, self, receiver, sender, {**options})
        with self.lock:
            registry.add(entry, sender, dialect.make_id(sender))
            if weak:
                note(registry, entry, receiver)
            self.sender_receivers_cache.clear()
        if is_label(sender):
            from signalpost.dispatch.senders import connect_when_loaded

            each = {"priority": priority, **options}
            connect_when_loaded(self, receiver, sender, weak, dispatch_uid, each)

    def disconnect(
        self, receiver: Receiver | None = None, sender: Any = None, dispatch_uid: Any = None
    ) -> bool:
        """Disconnect a receiver, named as it was connected. Whether there was one.

        A send that has begun still calls it.
        """
        if holds_senders(sender):
            from signalpost.dispatch.senders import disconnect_each

            return disconnect_each(self, receiver, sender, dispatch_uid)
        if self._labels and is_label(sender):
            from signalpost.dispatch.senders import disconnect_when_loaded

            disconnect_when_loaded(self, receiver, sender, dispatch_uid)
        make_id = self._dialect.make_id
        registry = registry_of(self)
        with self.lock:
            self.sender_receivers_cache.clear()
            entry = registry.find(dispatch_uid or make_id(receiver), sender, make_id(sender))
            if entry is None:
                return False
            registry.remove(entry)
            registry.noted.pop(entry, None)  # with what its rules hold
            return entry.target() is not None

    def has_listeners(self, sender: Any = None) -> bool:
        """Whether a send by this sender would reach anybody."""
        sync, asynchronous = self._live_receivers(sender)
        if registry_of(self).scopes:
            from signalpost.dispatch.scopes import audible

            return bool(audible(self, sender, [*sync, *asynchronous]))
        return bool(sync) or bool(asynchronous)

    def send(self, sender: Any, **named: Any) -> Responses:
        """Call the receivers with the payload and return pairs of receiver and response.

        The sync receivers run first, by priority, then the async ones, together. The first
        exception is raised and the receivers after it don't run. A receiver that is connected or
        disconnected meanwhile counts from the next send on.

        Raises a PayloadError (a TypeError) where the payload isn't what the signal declares, and a
        RunningLoopError (a RuntimeError) where async receivers can't be awaited; then no receiver
        has run.
        """
        try:
            run = self._run
        except AttributeError:
            take_over(self)
            run = self._run
        if run is None:
            return []
        if _replaced and self._has_own_live_receivers():
            return calls.call_all(self, sender, named)
        return run(self, sender, named)

    async def asend(self, sender: Any, **named: Any) -> Responses:
        """Async version of `send`."""
        registry = registry_of(self)
        if not registry.count and not self._looped:
            return []
        table = registry.table
        if table is not None and table.sole is not None and not self._looped:
            # One async receiver, for all senders: awaited right here, in no task and no further
            # coroutine. 1/20 of Django's time, 1/15 of that of Django 6.1.
            receiver = table.sole()
            if receiver is not None and not self._has_own_live_receivers():
                return [(receiver, await receiver(signal=self, sender=sender, **named))]
        sync, asynchronous = self._live_receivers(sender)
        return await calls.await_all(sync, asynchronous, self, sender, named)

    def send_robust(self, sender: Any, **named: Any) -> Responses:
        """Like `send`, but a receiver's `Exception` becomes its response and is logged.

        The error has its ``__traceback__``. It is logged at ERROR.
        """
        if not registry_of(self).count and not self._looped:
            return []
        return calls.call_all(self, sender, named, self._log_robust_failure)

    async def asend_robust(self, sender: Any, **named: Any) -> Responses:
        """Async version of `send_robust`."""
        if not registry_of(self).count and not self._looped:
            return []
        sync, asynchronous = self._live_receivers(sender)
        on_error = self._async_failure_log()
        return await calls.await_all(sync, asynchronous, self, sender, named, on_error)

    def send_all(self, sender: Any, **named: Any) -> Responses:
        """Call all receivers, whatever fails, and raise the failures together.

        Returns pairs of receiver and response, each an `Outcome`. Each receiver's work in a
        transaction is undone where it fails, so that the others can go on.

        Raises an ExceptionGroup of what the receivers raised, each with a note that names the
        receiver, after the last of them has run.
        """
        from signalpost.dispatch.gathering import send_all

        return send_all(self, sender, named)

    async def asend_all(self, sender: Any, **named: Any) -> Responses:
        """Async version of `send_all`."""
        from signalpost.dispatch.gathering import asend_all

        return await asend_all(self, sender, named)

    def send_on_commit(self, sender: Any, *, using: str | None = None, **named: Any) -> None:
        """Send after the transaction on the database `using` commits, or at once outside of one.

        Nothing is sent where it is rolled back. The receivers see the payload as it is now. What
        they raise is logged, as `send_robust` does. `using` is passed on to receivers, unless the
        signal declares a payload without it; by default it is the database "default".

        Raises a PayloadError at once where the payload isn't what the signal declares, and a
        DeclarationError without Signalpost's Django app.
        """
        from signalpost.dispatch import hooks

        if hooks.send_on_commit is None:
            raise DeclarationError(
                f"Cannot send signal '{self.name}' on commit: that needs Signalpost's Django app. "
                "List 'signalpost.django' in INSTALLED_APPS."
            )
        hooks.send_on_commit(self, sender, using, named)

    async def asend_on_commit(self, sender: Any, *, using: str | None = None, **named: Any) -> None:
        """Async version of `send_on_commit`."""
        from asgiref.sync import sync_to_async

        await sync_to_async(self.send_on_commit)(sender, using=using, **named)

    def _live_receivers(self, sender: Any) -> tuple[list[Receiver], list[Receiver]]:
        """The sync and the async receivers of a send by this sender: two new lists.

        All sends go through it where it is overridden or replaced, on the class or an instance.
        """
        try:
            registry = self._registry
        except AttributeError:
            registry = take_over(self)
        if registry.dead or registry.flagged:
            with self.lock:
                registry.sweep()
        plan = plan_for(self, sender)
        sync, asynchronous = plan.sync, plan.asynchronous
        # Most signals have the one or the other: a comprehension over nothing costs 100 ns too.
        return (
            [receiver for target in sync if (receiver := target()) is not None] if sync else [],
            [receiver for target in asynchronous if (receiver := target()) is not None]
            if asynchronous
            else [],
        )

    def _log_robust_failure(
        self, receiver: Receiver, err: Exception, method: str = "send_robust"
    ) -> None:
        from signalpost.dispatch.failures import log_failure

        log_failure(receiver, err, method)

    def _async_failure_log(self) -> OnError:
        log = self._log_robust_failure
        if getattr(log, "__func__", None) is not Signal._log_robust_failure:
            return log  # a subclass's own, which takes no method's name
        return lambda receiver, error: log(receiver, error, "asend_robust")

    def _clear_dead_receivers(self) -> None:
        # The caller holds the lock, as in Django.
        try:
            registry = self._registry
        except AttributeError:
            registry = take_over(self)
        if registry.dead or registry.flagged:
            registry.sweep()

    def _has_own_live_receivers(self) -> bool:
        return type(self)._live_receivers is not _live_receivers or registry_of(self).overridden


_live_receivers = Signal._live_receivers
