"""What a receiver accepts, and whether it is async.

Plain functions and methods answer from their code object, in about a microsecond; `inspect`, which
takes 9 ms to import, is asked only about the rest.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FunctionType as FunctionType  # noqa: PLC0414 - exported
    from types import MethodType as MethodType  # noqa: PLC0414 - exported
    from typing import Any
else:  # `types` takes 0.4 ms to import

    class _Any:
        def method(self) -> None: ...

    FunctionType = type(_Any.method)
    MethodType = type(_Any().method)

_VAR_POSITIONAL = 0x04
_VAR_KEYWORD = 0x08
_COROUTINE = 0x80


class Parameters:
    """The parameters that a receiver can be given by keyword.

    `names` are all of them in order, `required` those without a default. `takes_others` is true where
    ``**kwargs`` takes any other, and where the signature can't be known. `positional` are those
    that can't be given by keyword, without a default.
    """

    __slots__ = ("names", "positional", "required", "takes_others")

    names: tuple[str, ...]
    positional: tuple[str, ...]
    required: tuple[str, ...]
    takes_others: bool

    def __init__(
        self,
        names: tuple[str, ...],
        required: tuple[str, ...],
        *,
        takes_others: bool,
        positional: tuple[str, ...] = (),
    ) -> None:
        self.names = names
        self.required = required
        self.takes_others = takes_others
        self.positional = positional

    def __str__(self) -> str:
        return f"({', '.join((*self.names, *(('**kwargs',) if self.takes_others else ())))})"


def parameters_of(receiver: Any) -> Parameters:
    """What the receiver accepts; `self` of a bound method is left out.

    A decorated function that takes ``**kwargs`` is taken to pass them on, so what the function
    inside (``__wrapped__``) accepts counts too.
    """
    function = getattr(receiver, "__func__", receiver)
    if type(function) is not FunctionType or hasattr(function, "__signature__"):
        return _parameters_of_callable(receiver)
    bound = int(function is not receiver)
    outer = _parameters_of_function(function, bound)
    inside = getattr(function, "__wrapped__", None)
    if inside is None or not outer.takes_others:
        return outer
    inner = parameters_of(inside)
    names = inner.names[bound:]  # the function inside isn't bound
    return Parameters(
        tuple(dict.fromkeys((*outer.names, *names))),
        tuple(dict.fromkeys((*outer.required, *(n for n in inner.required if n in names)))),
        takes_others=inner.takes_others,
        positional=outer.positional,
    )


def _parameters_of_function(function: FunctionType, bound: int) -> Parameters:
    code = function.__code__
    count = code.co_argcount
    positional_only = code.co_varnames[bound : code.co_posonlyargcount]
    start = max(bound, code.co_posonlyargcount)
    names = code.co_varnames[start:count]
    keyword_only = code.co_varnames[count : count + code.co_kwonlyargcount]
    with_default = len(function.__defaults__ or ())
    required = (
        code.co_varnames[: count - with_default] if with_default else code.co_varnames[:count]
    )
    keyword_defaults = function.__kwdefaults__ or {}
    return Parameters(
        names + keyword_only,
        tuple(name for name in names if name in required)
        + tuple(name for name in keyword_only if name not in keyword_defaults),
        takes_others=bool(code.co_flags & _VAR_KEYWORD),
        positional=tuple(name for name in positional_only if name in required),
    )


def _parameters_of_callable(receiver: Any) -> Parameters:
    import inspect

    try:
        parameters = inspect.signature(receiver).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature: it may take anything
        return Parameters((), (), takes_others=True)
    by_keyword = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return Parameters(
        tuple(p.name for p in by_keyword),
        tuple(p.name for p in by_keyword if p.default is p.empty),
        takes_others=any(p.kind is p.VAR_KEYWORD for p in parameters),
        positional=tuple(
            p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.default is p.empty
        ),
    )


def is_async(receiver: Any) -> bool:
    """Whether calling the receiver gives something to await.

    True for coroutine functions and their partials, for `AsyncMock`, for what was marked with
    `inspect.markcoroutinefunction` or asgiref's, and for objects whose ``__call__`` is async (which
    Django never awaits). False for async generators.
    """
    function: Any = getattr(receiver, "__func__", receiver)
    if type(function) is FunctionType:
        if function.__code__.co_flags & _COROUTINE:
            return True
        # Marks first: reading a function's __dict__ makes one, 64 bytes for each receiver.
        marked = hasattr(function, "_is_coroutine_marker") or hasattr(function, "_is_coroutine")
        return marked and _is_marked(receiver)
    if _is_marked(receiver):
        return True
    return _has_async_call(receiver)


def _has_async_call(receiver: object) -> bool:
    call = _call_of(receiver)
    return type(call) is FunctionType and is_async(call)


def _call_of(receiver: object) -> Any:
    return getattr(type(receiver), "__call__", None)  # noqa: B004 - the function is wanted


def _is_marked(receiver: Any) -> bool:
    import inspect

    if inspect.iscoroutinefunction(receiver):
        return True
    # Up to Python 3.11 asyncio has a marker of its own, which AsyncMock and asgiref set.
    coroutines = sys.modules.get("asyncio.coroutines")
    marker = getattr(coroutines, "_is_coroutine", None)
    return marker is not None and getattr(receiver, "_is_coroutine", None) is marker


def counts_frames(receiver: Any) -> bool:
    """Whether the receiver looks at its callers' frames: it warns with `stacklevel`, say.

    Generated call code puts one frame between `send` and a receiver. A receiver that counts frames
    must not see it, so its signal is sent from `send`'s own frame. Found by the names in its code:
    a receiver that only calls something that counts isn't found.
    """
    function = getattr(receiver, "__func__", receiver)
    function = getattr(function, "__wrapped__", function)
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(_call_of(receiver), "__code__", None)
    if code is None:
        return False
    if not _FRAME_NAMES.isdisjoint(code.co_names):
        return True
    return any(
        constant == "stacklevel" or (type(constant) is tuple and "stacklevel" in constant)
        for constant in code.co_consts
    )


_FRAME_NAMES = frozenset(
    {"_getframe", "currentframe", "extract_stack", "getframeinfo", "stack", "warn"}
)
