"""What a signal is from outside: its attributes, those that Django's users know among them."""

from __future__ import annotations

from _thread import RLock

from signalpost.dispatch.derived import derived
from signalpost.dispatch.dialect import Dialect
from signalpost.dispatch.names import Origin, check_name, find_name, unnamed
from signalpost.dispatch.takeover import give_registry, make_twin, registry_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from typing import Any, Self

    from signalpost.dispatch.payload import Payload
    from signalpost.dispatch.registry import Registry
    from signalpost.dispatch.types import Run


def _view_receivers(signal: SignalAttributes) -> Any:
    """The connections, in Django's shape. May be replaced, and changed in place."""
    registry = registry_of(signal)
    if registry.hidden:
        raise AttributeError("receivers")
    with signal.lock:
        return registry.view()  # from now on an attribute of the instance, as in Django


class SignalAttributes:
    """The attributes of a signal; `Signal` adds what is done with it."""

    lock: AbstractContextManager[Any]
    use_caching: bool
    sender_receivers_cache: Any
    _dialect: Dialect = Dialect()
    _payload: Payload | None = None
    _name: str | None = None
    _doc: str | None = None
    _origin: Origin | None = None
    _run: Run | None
    # Whether some receiver was ever connected with rules; the models' names that it waits for.
    _ruled: bool = False
    # Whether all sends need the call loop: a payload is declared, or receivers have rules.
    _looped: bool = False
    _labels: tuple[str, ...] = ()
    _registry: Registry

    def __init__(
        self,
        providing_args: Iterable[str] | bool | None = None,
        use_caching: bool = False,
        *,
        name: str | None = None,
        doc: str | None = None,
    ) -> None:
        if isinstance(providing_args, bool):  # Signal(True), as since Django 4.0
            use_caching, providing_args = providing_args or use_caching, None
        check_name(name)
        # On the instance, for speed: a send reads it (class attributes cost 11-40 ns more).
        self._payload = None
        if providing_args is not None:
            from signalpost.dispatch.payload import Payload

            self._payload = Payload(providing_args)
        self._looped = self._payload is not None
        self._name = name
        self._origin = Origin.of_caller(2)
        self._doc = doc
        self.use_caching = use_caching
        self.lock = RLock()
        self.sender_receivers_cache = {}
        if use_caching:
            from weakref import WeakKeyDictionary

            self.sender_receivers_cache = WeakKeyDictionary()
        give_registry(self)

    receivers: Any = derived(_view_receivers)

    @property
    def _dead_receivers(self) -> bool:
        # Read at each send where Django's `_live_receivers` was captured: 2 % of it at one receiver.
        try:
            registry = self._registry
        except AttributeError:
            registry = registry_of(self)
        return registry.flagged or bool(registry.dead)

    @_dead_receivers.setter
    def _dead_receivers(self, flag: bool) -> None:
        # Set by the garbage collector, through weak references that Django made: no lock here, and
        # at the interpreter's exit no globals.
        registry = getattr(self, "_registry", None)
        if registry is not None:  # else not taken over yet: the dead are found then
            registry.flagged = bool(flag)

    @derived
    def providing_args(self) -> tuple[str, ...] | None:
        """The names of the arguments that the signal declares, or None where it declares none."""
        return None if self._payload is None else self._payload.names

    @derived
    def name(self) -> str:
        """What people call the signal: ``"blog.signals.new_comment_added"``."""
        if self._name is None:
            found = find_name(self, self._origin)
            if found is None:
                return unnamed(type(self).__name__, self._origin)
            self._name = found
        return self._name

    @derived
    def doc(self) -> str | None:
        """What was said of the signal where it was declared, or None."""
        return self._doc

    def __repr__(self) -> str:
        count = registry_of(self).count_living()
        return f"<{type(self).__name__} '{self.name}' ({count} receiver{'s' * (count != 1)})>"

    def __copy__(self) -> Self:
        """Another signal with the same receivers; from then on each has its own."""
        return make_twin(self)

    def _flag_dead_receivers(self, reference: Any = None) -> None:
        # May be called by the garbage collector, while the lock is held: sets a flag, no more.
        self._dead_receivers = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "receivers":
            registry = registry_of(self)
            with self.lock:
                registry.load(value)
            return
        object.__setattr__(self, name, value)
        if name == "_live_receivers":
            registry = registry_of(self)
            with self.lock:
                registry.override(True)

    def __delattr__(self, name: str) -> None:
        registry = registry_of(self)
        with self.lock:
            if name == "receivers":
                registry.hide()
            object.__delattr__(self, name)
            if name == "_live_receivers":
                registry.override(False)
