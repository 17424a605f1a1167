"""`@receiver`, which connects a function, and `@signal`, which declares one by its signature."""

from __future__ import annotations

from signalpost.dispatch.dialect import is_ours
from signalpost.dispatch.names import receiver_name
from signalpost.dispatch.signatures import FunctionType, parameters_of
from signalpost.dispatch.typed import TypedSignal
from signalpost.exceptions import DeclarationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

    from signalpost.dispatch.types import ReceiverOptions

    P = ParamSpec("P")
    R = TypeVar("R")
    F = TypeVar("F", bound=Callable[..., Any])

    class Connectable(Protocol):
        """A signal of ours, of Django, or of any library that has `connect`."""

        def connect(self, receiver: Any, /, *, sender: Any = None) -> Any: ...
else:

    def overload(function: Any) -> Any:
        return function


@overload
def receiver(
    signal: TypedSignal[P], **options: Unpack[ReceiverOptions]
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
@overload
def receiver(  # noqa: F811 - an overload: `typing` isn't imported at run time
    signal: Connectable | Sequence[Connectable], **options: Any
) -> Callable[[F], F]: ...
def receiver(signal: Any, **options: Any) -> Any:  # noqa: F811 - what the overloads describe
    """Connect the decorated function to a signal, or to each of a list or tuple of signals.

    The options are those of `Signal.connect`. The function is returned unchanged, so the decorator
    can be stacked.

    >>> from signalpost import Signal, receiver
    >>> comment_added, comment_edited = Signal(), Signal()
    >>> @receiver([comment_added, comment_edited], priority=10)
    ... def reindex(sender, **kwargs):
    ...     return "reindexed"
    >>> [response for _, response in comment_edited.send(sender=None)]
    ['reindexed']
    """
    signals: Sequence[Any] = signal if _is_several(signal) else [signal]
    for each in signals:
        if not hasattr(each, "connect"):
            raise DeclarationError(
                f"@receiver needs a signal, or a list of signals, to connect to, not {each!r}. "
                "Write @receiver(my_signal)."
            )

    def connect(function: Any) -> Any:
        for each in signals:
            if is_ours(each) or not options:
                each.connect(function, **options)
            else:
                from signalpost.dispatch.elsewhere import connect_elsewhere

                connect_elsewhere(each, function, options)
        return function

    return connect


def signal(function: Callable[P, Any]) -> TypedSignal[P]:
    """A signal declared by the signature that its receivers see.

    The parameters after `sender` are its payload; one with a default may be left out by senders,
    and receivers get the default. The docstring says when it is sent. mypy and pyright check each
    send and each receiver against the signature; at run time it holds as `providing_args` does.

    >>> from signalpost import signal
    >>> @signal
    ... def comment_added(sender: type, *, comment: str) -> None:
    ...     "A reader has posted a comment."
    >>> comment_added.providing_args
    ('comment',)

    Raises a DeclarationError for what can't be a contract: no `sender`, ``*args``, ``**kwargs``,
    parameters by position only.
    """
    if type(function) is not FunctionType:
        raise DeclarationError(
            f"@signal needs a function, whose parameters it declares, not {function!r}. "
            "Write `@signal` above `def name(sender, *, ...): ...`, without parentheses."
        )
    name = receiver_name(function)
    parameters = parameters_of(function)
    if (
        parameters.takes_others
        or function.__code__.co_flags & 0x04
        or function.__code__.co_posonlyargcount
    ):
        raise DeclarationError(
            f"Cannot declare signal '{name}': its signature has '*args', '**kwargs' or '/', so it "
            "doesn't say what the signal sends. Name each argument."
        )
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    if "sender" not in parameters.names or "sender" in positional[1:]:
        raise DeclarationError(
            f"Cannot declare signal '{name}': its first parameter must be 'sender', which each "
            f"send has; it declares {parameters}."
        )
    if "sender" not in parameters.required:
        raise DeclarationError(
            f"Cannot declare signal '{name}': 'sender' has a default, but each send has a sender. "
            "Remove the default."
        )
    from signalpost.dispatch.payload import Payload

    payload = [parameter for parameter in parameters.names if parameter != "sender"]
    declared: Any = TypedSignal(payload, name=name, doc=function.__doc__)
    declared._payload = Payload(payload, _defaults(function))
    declared.__module__ = function.__module__
    return declared  # type: ignore[no-any-return]  # a TypedSignal of this function's parameters


def _is_several(signal: object) -> bool:
    return isinstance(signal, (list, tuple))


def _defaults(function: FunctionType) -> dict[str, Any]:
    code = function.__code__
    values = function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(values) : code.co_argcount]
    defaults = {**dict(zip(names, values, strict=True)), **(function.__kwdefaults__ or {})}
    defaults.pop("sender", None)
    return defaults
