"""`TypedSignal`: what `@signal` makes. At run time a `Signal`; to type checkers, a signature."""

from __future__ import annotations

from signalpost.dispatch.signal import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, ParamSpec, Unpack

    from signalpost.dispatch.types import ConnectOptions, Responses

    P = ParamSpec("P")

    class TypedSignal(Signal, Generic[P]):
        """A signal whose sends and receivers are checked against the signature it was declared by.

        Made by `@signal`. The overrides are narrower than what they override, on purpose: that is
        the check.
        """

        def connect(
            self,
            receiver: Callable[P, object],
            sender: Any = None,
            weak: bool = True,
            dispatch_uid: Any = None,
            *,
            priority: float = 0,
            **options: Unpack[ConnectOptions],
        ) -> None: ...
        def send(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...
        def send_robust(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...
        async def asend(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...
        async def asend_robust(self, *args: P.args, **kwargs: P.kwargs) -> Responses: ...

else:

    class TypedSignal(Signal):
        """A signal that was declared by the signature of its receivers: see `signal`."""

        # For annotations that are evaluated. `typing`, which has Generic, costs 5 ms to import.
        __class_getitem__ = classmethod(lambda cls, _parameters: cls)
