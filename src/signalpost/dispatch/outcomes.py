"""What became of a receiver in a send: it returned something, or it raised."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from signalpost.dispatch.types import Receiver

    PairBase = tuple[Any, Any]
else:
    PairBase = tuple


class Outcome(PairBase):
    """The pair of receiver and response that Django returns, which also says whether it raised.

    `response` is what the receiver returned or the error that it raised; `raised` tells them
    apart, where a receiver may return an exception. `error` is what it raised, or None.
    """

    __slots__ = ()

    def __new__(cls, receiver: Receiver, response: Any) -> Self:
        return super().__new__(cls, (receiver, response))

    def __getnewargs__(self) -> tuple[Any, Any]:
        return (self[0], self[1])

    @property
    def receiver(self) -> Receiver:
        """The receiver, as it was connected."""
        return self[0]  # type: ignore[no-any-return]

    @property
    def response(self) -> Any:
        """What the receiver returned, or the error that it raised."""
        return self[1]

    @property
    def raised(self) -> bool:
        """Whether the receiver raised `response`."""
        return False

    @property
    def error(self) -> Exception | None:
        """What the receiver raised, or None."""
        return None


class Failure(Outcome):
    """The outcome of a receiver that raised."""

    __slots__ = ()

    @property
    def raised(self) -> bool:
        """True: the receiver raised `response`."""
        return True

    @property
    def error(self) -> Exception:
        """What the receiver raised."""
        return self[1]  # type: ignore[no-any-return]


class LoggedFailure(Failure):
    """The outcome of a receiver that raised and was connected with ``on_error="log"``."""

    __slots__ = ()
