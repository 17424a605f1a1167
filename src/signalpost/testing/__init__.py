"""For tests: what was sent, and what should have been.

`capture` notes the sends of one thread or task; `SignalAssertions` has the same for `TestCase`, and
`signalpost.pytest_plugin` as fixtures. `mute`, which silences, is `signalpost.mute`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from signalpost.dispatch.blocks import Block
from signalpost.dispatch.dialect import is_ours
from signalpost.dispatch.muting import mute
from signalpost.dispatch.names import signal_name
from signalpost.dispatch.scopes import Scope
from signalpost.exceptions import DeclarationError

if TYPE_CHECKING:
    from typing import Self

    from signalpost.testing.draining import Drained, drain

__all__ = [
    "Captured",
    "Drained",
    "Sent",
    "SignalAssertions",
    "capture",
    "drain",
    "mute",
    "run_on_commit",
]


def __getattr__(name: str) -> Any:
    if name in ("drain", "Drained"):  # what runs deliveries is imported by those who have any
        from signalpost.testing import draining

        return getattr(draining, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# Of a value in a failure's text, in characters.
_WIDTH = 80


@dataclass(frozen=True)
class Sent:
    """One send: the signal, its sender and its payload."""

    signal: Any
    sender: Any
    payload: dict[str, Any] = field(hash=False)

    def __str__(self) -> str:
        sender = getattr(self.sender, "__qualname__", None) or repr(self.sender)
        payload = "".join(f", {name}={_short(value)}" for name, value in self.payload.items())
        return f"{signal_name(self.signal)}: sender={sender}{payload}"

    def matches(self, expected: dict[str, Any]) -> bool:
        """Whether sender and payload hold what is expected of them."""
        values = {"sender": self.sender, **self.payload}
        return all(name in values and values[name] == value for name, value in expected.items())


class Captured(Sequence[Sent]):
    """What was sent, in its order."""

    def __init__(self) -> None:
        self._sent: list[Sent] = []

    @overload
    def __getitem__(self, index: int) -> Sent: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sent]: ...
    def __getitem__(self, index: int | slice) -> Sent | list[Sent]:
        return self._sent[index]

    def __len__(self) -> int:
        return len(self._sent)

    def __repr__(self) -> str:
        return f"<Captured {len(self)}: {self._listed()}>"

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """The payloads, without senders."""
        return [sent.payload for sent in self._sent]

    @property
    def senders(self) -> list[Any]:
        """The senders."""
        return [sent.sender for sent in self._sent]

    def of(self, signal: Any) -> list[Sent]:
        """What was sent by this signal."""
        return [sent for sent in self._sent if sent.signal is signal]

    def one(self) -> Sent:
        """The one send that there was. An AssertionError where there were none, or several."""
        if len(self._sent) != 1:
            raise AssertionError(f"Expected one send, but there were {len(self)}.{self._listing()}")
        return self._sent[0]

    def assert_sent(self, signal: Any, times: int | None = None, **match: Any) -> list[Sent]:
        """The sends of the signal that match, of which there has to be one, or `times`.

        `match` names arguments of the payload, or the `sender`, and what they equal. Raises an
        AssertionError that shows what was sent instead.
        """
        found = [sent for sent in self.of(signal) if sent.matches(match)]
        if found if times is None else len(found) == times:
            return found
        wanted = "" if times is None else f" {times} time{'s' * (times != 1)}"
        having = _having(match)
        raise AssertionError(
            f"{signal_name(signal)} was expected to be sent{wanted}{having}, but was sent so "
            f"{len(found)} time{'s' * (len(found) != 1)}.{self._listing()}"
        )

    def assert_not_sent(self, signal: Any, **match: Any) -> None:
        """Raise an AssertionError where the signal was sent, with what `match` names."""
        found = [sent for sent in self.of(signal) if sent.matches(match)]
        if found:
            raise AssertionError(
                f"{signal_name(signal)} was expected not to be sent{_having(match)}, but it was."
                f"{self._listing()}"
            )

    def _note(self, signal: Any, sender: Any, named: dict[str, Any]) -> None:
        self._sent.append(Sent(signal, sender, dict(named)))

    def _listed(self) -> str:
        return "; ".join(map(str, self._sent)) or "nothing"

    def _listing(self) -> str:
        if not self._sent:
            return " Nothing was sent."
        return "\nSent were:\n" + "\n".join(f"  {n}. {s}" for n, s in enumerate(self._sent, 1))


class capture(Block):  # noqa: N801 - called as a function
    """Note what these signals send in this thread or task; the receivers run as ever.

    A context manager that gives a `Captured`, and a decorator, which passes none.

    >>> from signalpost import Signal
    >>> added = Signal(providing_args=["comment"], name="blog.added")
    >>> with capture(added) as sent:
    ...     added.send(sender=None, comment="hello")
    []
    >>> sent.one().payload
    {'comment': 'hello'}

    Also notes the sends of a muted signal. Raises a DeclarationError for what is no signal.
    """

    def __init__(self, *signals: Any) -> None:
        if not signals:
            raise DeclarationError(
                "capture() needs to know what: name signals, capture(post_save)."
            )
        for each in signals:
            if not is_ours(each):
                raise DeclarationError(
                    f"capture() notes what signals of Signalpost or of an adopted django.dispatch "
                    f"send, but {each!r} is none."
                )
        self._signals = signals
        self._scopes: list[Scope] = []

    def copy(self) -> Self:
        """Another block of the same kind."""
        return type(self)(*self._signals)

    def begin(self) -> Captured:
        """Note from now on, until `end`."""
        captured = Captured()
        scope = Scope(self._signals, note=captured._note)
        scope.begin()
        self._scopes.append(scope)
        return captured

    def end(self) -> None:
        """Note no more."""
        self._scopes.pop().end()


class SignalAssertions:
    """Assertions about signals, for a `TestCase`: ``class Tests(SignalAssertions, TestCase)``."""

    @contextmanager
    def assertSignalSent(  # noqa: N802 - as unittest's
        self, signal: Any, times: int | None = None, **match: Any
    ) -> Generator[Captured, None, None]:
        """The block has to send the signal, once or more, or `times`; `match` is of its payload."""
        with capture(signal) as sent:
            yield sent
        sent.assert_sent(signal, times, **match)

    @contextmanager
    def assertSignalNotSent(  # noqa: N802 - as unittest's
        self, signal: Any, **match: Any
    ) -> Generator[Captured, None, None]:
        """The block must not send the signal with what `match` names."""
        with capture(signal) as sent:
            yield sent
        sent.assert_not_sent(signal, **match)


@contextmanager
def run_on_commit(*aliases: str) -> Generator[None, None, None]:
    """Run, at the end of the block, what waits for the commit of a transaction.

    A `TestCase` never commits, so receivers with ``on_commit=True`` don't run in it otherwise. The
    aliases are those of databases; by default all.
    """
    from django.db import connections
    from django.test import TestCase

    with ExitStack() as stack:
        for alias in aliases or tuple(connections):
            if connections[alias].in_atomic_block:
                stack.enter_context(TestCase.captureOnCommitCallbacks(using=alias, execute=True))
        yield


def _having(match: dict[str, Any]) -> str:
    having = ", ".join(f"{name}={_short(value)}" for name, value in match.items())
    return f" with {having}" if having else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
