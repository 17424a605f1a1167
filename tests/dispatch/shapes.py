"""Receivers of random shapes, and what a send must do with them: the model of the dispatcher."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from typing import Any

from hypothesis import strategies as st

KINDS = ("function", "method", "classmethod", "staticmethod", "partial", "object", "decorated")
# Without those that a class keeps alive, or that wait for the garbage collector with it.
MORTAL = ("function", "method", "partial", "object", "decorated")
DECLARED = ("alpha", "beta", "v0", "named", "match")
PLAIN = (*DECLARED, "k0", "run", "other", "r1", "f", "o", "x" * 50)
ODD = ("a-b", "class", "None", "__debug__", "", "\ufb01le", "\u00b5", "имя", "'", "\ud800")


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """One receiver: how it is written, connected, and what it does when it is called."""

    kind: str
    #: The parameters that it names; only a declared payload lets it leave some out.
    names: tuple[str, ...]
    takes_others: bool
    keyword_only: bool
    weak: bool
    priority: int
    #: None: any sender.
    sender: int | None
    raises: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A call as the receiver saw it."""

    receiver: int
    arguments: tuple[tuple[str, Any], ...]
    #: Whether generated code called it, which must make no difference.
    generated: bool = dataclasses.field(default=False, compare=False)


class Broken(Exception):
    """What a receiver raises that was told to."""


def is_generated_code_around() -> bool:
    """Whether a receiver that is being called was called by generated code."""
    frame = sys._getframe(2)
    while not frame.f_code.co_filename.startswith("<signalpost send"):
        # The call loops of the library: no generated code then.
        if "signalpost" in frame.f_globals.get("__name__", "") or frame.f_back is None:
            return False
        frame = frame.f_back
    return True


def shapes(names: tuple[str, ...], kinds: tuple[str, ...] = KINDS) -> st.SearchStrategy[Shape]:
    named = st.lists(st.sampled_from(names), unique=True, max_size=4).map(tuple)
    return st.builds(
        Shape,
        kind=st.sampled_from(kinds),
        names=named,
        takes_others=st.booleans(),
        keyword_only=st.booleans(),
        weak=st.booleans(),
        priority=st.integers(-1, 1),
        sender=st.sampled_from([None, None, None, 0, 1]),
        raises=st.integers(0, 40).map(lambda n: n == 40),
    )


def write(shape: Shape, number: int, calls: list[Call], raising: list[bool]) -> Any:
    """A receiver of that shape, which records its calls."""

    def record(arguments: dict[str, Any]) -> Any:
        others = arguments.pop("others", {})
        seen = {
            **{k: v for k, v in arguments.items() if k not in {"self", "cls", "first"}},
            **others,
        }
        calls.append(Call(number, tuple(seen.items()), generated=is_generated_code_around()))
        if shape.raises and raising[0]:
            raise Broken(number)
        return number, len(seen)

    first = {"method": ["self"], "classmethod": ["cls"], "object": ["self"], "partial": ["first"]}
    parameters = [
        *first.get(shape.kind, []),
        *(["*"] if shape.keyword_only and shape.names else []),
        *shape.names,
        *(["**others"] if shape.takes_others else []),
    ]
    namespace: dict[str, Any] = {"record": record}
    exec(f"def receive({', '.join(parameters)}): return record(locals())", namespace)
    receive = namespace.pop("receive")  # or it would keep itself alive
    if shape.kind == "partial":
        return functools.partial(receive, None)
    if shape.kind == "object":
        return type("Receiver", (), {"__call__": receive})()
    if shape.kind == "decorated":

        @functools.wraps(receive)
        def wrapper(*args: Any, **others: Any) -> Any:
            return receive(*args, **others)

        return wrapper
    if shape.kind in {"method", "classmethod", "staticmethod"}:
        wrap = {"method": lambda f: f, "classmethod": classmethod, "staticmethod": staticmethod}
        return type("Host", (), {"receive": wrap[shape.kind](receive)})().receive
    return receive


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a send did: its calls in order, and its responses or its exception."""

    calls: tuple[Call, ...]
    responses: tuple[tuple[int, Any], ...] | None
    raised: str | None


def model(
    shapes: list[Shape], receivers: list[Any], sender: int | None, signal: Any, payload: dict[str, Any],
    *, declared: bool,
) -> Outcome:  # fmt: skip
    """What a send to these receivers must do, worked out naively."""
    matching = [
        n for n, shape in enumerate(shapes) if shape.sender is None or shape.sender == sender
    ]
    matching.sort(key=lambda n: -shapes[n].priority)  # stable
    every = {"signal": signal, "sender": sender, **payload}
    calls: list[Call] = []
    responses: list[tuple[int, Any]] = []
    for n in matching:
        shape = shapes[n]
        given = every
        if declared and not shape.takes_others:
            accepted = inspect.signature(receivers[n]).parameters
            given = {name: value for name, value in every.items() if name in accepted}
        ordered = {name: given[name] for name in shape.names}
        seen = tuple({**ordered, **given}.items())
        calls.append(Call(n, seen))
        if shape.raises:
            return Outcome(tuple(calls), None, repr(Broken(n)))
        responses.append((n, (n, len(seen))))
    return Outcome(tuple(calls), tuple(responses), None)
