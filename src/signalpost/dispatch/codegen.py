"""Generated call code: what one plan's sends run once they are hot.

A send with ``**named`` merges the payload into each receiver's call (60 → 153 ns a receiver on
3.11). Code that spells the keyword names out doesn't: ``receiver(signal=signal, sender=sender,
comment=v0)``. Up to 16 receivers are unrolled, which also saves the loop (10 receivers: 0.30 × the
time of Django against 0.37 looped); more run in a loop for each stretch of receivers of one shape.

The code differs by the payload's names, in the order sent (a receiver's ``**kwargs`` keeps it), and
by the shapes of the receivers. What was generated once is kept and bound to other receivers.
"""

from __future__ import annotations

import weakref
from _operator import call  # `operator` itself takes 0.4 ms to import
from keyword import iskeyword
from types import FunctionType, MethodType

from signalpost.dispatch.entries import is_weak
from signalpost.dispatch.signatures import counts_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    from signalpost.dispatch.plan import Plan
    from signalpost.dispatch.signal import Signal
    from signalpost.dispatch.types import Run

    #: How a receiver is reached ("weak", "strong", "method") and the names that it is passed; None
    #: for all.
    Shape: TypeAlias = tuple[str, tuple[str, ...] | None]
    Stretch: TypeAlias = tuple[Shape, int]

UNROLLED: int = 16
STRETCHES: int = 8
NAMES_WRITTEN: int = 64  # thousands would take seconds to compile, inside somebody's send
FACTORIES_KEPT: int = 256

_TAKEN = {"signal", "__debug__"}

_factories: dict[Any, Callable[..., Run]] = {}


def make_run(
    plan: Plan, signal: Signal, names: tuple[str, ...], other: Run, stale: Run
) -> Run | None:
    """A function that sends these names to the plan's receivers, or None: leave it to the loop.

    It hands a send with other names to `other`, and one that meets a dead receiver to `stale`.

    None where the names can't be keywords of a call or aren't what the signal declares, where a
    receiver is dead or looks at its callers' frames, and where many receivers have many shapes.
    """
    payload = signal._payload
    if payload is not None and not payload.fits(names):
        return None
    if signal._dialect.minds_frames and any(counts_frames(target()) for target in plan.sync):
        return None
    if len(names) > NAMES_WRITTEN or not all(map(_can_be_written, names)):
        return None
    filled = payload.defaults_beyond(names) if payload is not None else {}
    shapes: list[Shape] = []
    targets: list[Any] = []
    for target in plan.sync:
        receiver = target()
        if receiver is None:
            return None
        accepted = None if payload is None else payload.passed_to(receiver, (*names, *filled))
        shape, reached = _reach(receiver, target)
        shapes.append((shape, accepted))
        targets.append(reached)
    stretches = _stretches(shapes)
    unrolled = len(shapes) <= UNROLLED
    if not unrolled and len(stretches) > STRETCHES:
        return None
    holds = signal._dialect.holds_receivers
    written = tuple(shapes) if unrolled else tuple(shape for shape, _ in stretches)
    key = (names, tuple(filled), written, unrolled, holds)
    factory = _factories.get(key) or _make_factory(
        key, _write(names, tuple(filled), stretches, unrolled=unrolled, holds=holds)
    )
    bound = targets if unrolled else _by_stretch(targets, stretches)
    return factory(bound, tuple(filled.values()), other, stale)


def _can_be_written(name: str) -> bool:
    """Whether the name, written as a keyword of a call, stays what it is.

    The compiler normalises what isn't ASCII. "signal" is taken: leave the TypeError to the call.
    """
    return name.isascii() and name.isidentifier() and not iskeyword(name) and name not in _TAKEN


def _reach(receiver: Any, target: Any) -> tuple[str, Any]:
    if not is_weak(target):
        return "strong", target()
    if type(receiver) is MethodType and type(receiver.__func__) is FunctionType:
        # Two plain references, taken apart here, cost 55 ns to follow; a WeakMethod costs 196.
        return "method", (weakref.ref(receiver.__func__), weakref.ref(receiver.__self__))
    return "weak", target


def _stretches(shapes: Iterable[Shape]) -> list[Stretch]:
    stretches: list[Stretch] = []
    for shape in shapes:
        if stretches and stretches[-1][0] == shape:
            stretches[-1] = (shape, stretches[-1][1] + 1)
        else:
            stretches.append((shape, 1))
    return stretches


def _by_stretch(targets: list[Any], stretches: list[Stretch]) -> list[Any]:
    bound: list[Any] = []
    start = 0
    for (kind, _), length in stretches:
        part = targets[start : start + length]
        # Methods as two tuples, so that map() follows the references in C.
        bound.append(tuple(zip(*part, strict=True)) if kind == "method" else tuple(part))
        start += length
    return bound


def _write(
    names: tuple[str, ...],
    filled: tuple[str, ...],
    stretches: list[Stretch],
    *,
    unrolled: bool,
    holds: bool,
) -> str:
    """The source of a factory, ``make(targets, defaults, other, stale)``, of the send's code."""
    arguments = {name: f"v{i}" for i, name in enumerate((*names, *filled))}
    body = _unpack(names)
    if unrolled:
        setup, calls = _unrolled([shape for shape, n in stretches for _ in range(n)], arguments)
    else:
        setup, calls = _looped([shape for shape, _ in stretches], arguments, holds=holds)
    defaults = [f"v{i} = defaults[{i - len(names)}]" for i in range(len(names), len(arguments))]
    return "\n".join(
        [
            "def make(targets, defaults, other, stale):",
            *(f"    {line}" for line in (*defaults, *setup)),
            "    def run(signal, sender, named):",
            *(f"        {line}" for line in (*body, *calls)),
            "    return run",
            "",
        ]
    )


def _unpack(names: tuple[str, ...]) -> list[str]:
    if not names:
        return ["if named: return other(signal, sender, named)"]
    if len(names) == 1:
        # 20 ns less than comparing tuples of names.
        return [
            f"try: v0 = named[{names[0]!r}]",
            "except KeyError: return other(signal, sender, named)",
            "if len(named) != 1: return other(signal, sender, named)",
        ]
    # 5 % less of a send with five names than comparing a tuple of them.
    keys = ", ".join(f"k{i}" for i in range(len(names)))
    differ = " or ".join(f"k{i} != {name!r}" for i, name in enumerate(names))
    return [
        f"try: {keys} = named",
        "except ValueError: return other(signal, sender, named)",
        f"if {differ}: return other(signal, sender, named)",
        f"{keys.replace('k', 'v')} = named.values()",
    ]


def _arguments(accepted: tuple[str, ...] | None, values: dict[str, str]) -> str:
    every = {"signal": "signal", "sender": "sender", **values}
    names = every if accepted is None else accepted
    return ", ".join(f"{name}={every[name]}" for name in names)


def _unrolled(shapes: list[Shape], values: dict[str, str]) -> tuple[list[str], list[str]]:
    setup: list[str] = []
    follow: list[str] = []
    dead: list[str] = []
    pairs: list[str] = []
    for i, (kind, accepted) in enumerate(shapes):
        arguments = _arguments(accepted, values)
        if kind == "method":
            setup.append(f"f{i}, o{i} = targets[{i}]")
            follow += [f"r{i} = f{i}()", f"s{i} = o{i}()"]
            dead += [f"r{i} is None", f"s{i} is None"]
            comma = ", " if arguments else ""
            pairs.append(f"(MethodType(r{i}, s{i}), r{i}(s{i}{comma}{arguments}))")
            continue
        setup.append(f"{'r' if kind == 'strong' else 't'}{i} = targets[{i}]")
        if kind == "weak":
            follow.append(f"r{i} = t{i}()")
            dead.append(f"r{i} is None")
        pairs.append(f"(r{i}, r{i}({arguments}))")
    if dead:
        follow.append(f"if {' or '.join(dead)}: return stale(signal, sender, named)")
    return setup, [*follow, f"return [{', '.join(pairs)}]"]


def _looped(
    shapes: list[Shape], values: dict[str, str], *, holds: bool
) -> tuple[list[str], list[str]]:
    setup: list[str] = []
    follow: list[str] = []
    loops: list[str] = []
    for i, (kind, accepted) in enumerate(shapes):
        arguments = _arguments(accepted, values)
        setup.append(f"t{i} = targets[{i}]")
        if kind == "method":
            setup.append(f"f{i}, o{i} = t{i}")
            source = f"zip(map(call, f{i}), map(call, o{i}))"
            if holds:
                follow.append(f"h{i} = [*{source}]")
                source = f"h{i}"
            comma = ", " if arguments else ""
            loops.append(
                f"*[(MethodType(f, o), f(o{comma}{arguments})) for f, o in {source} "
                "if f is not None and o is not None]"
            )
        elif kind == "strong":
            loops.append(f"*[(r, r({arguments})) for r in t{i}]")
        elif holds:
            follow.append(f"h{i} = [*map(call, t{i})]")
            loops.append(f"*[(r, r({arguments})) for r in h{i} if r is not None]")
        else:
            loops.append(f"*[(r, r({arguments})) for t in t{i} if (r := t()) is not None]")
    if len(loops) == 1:
        return setup, [*follow, f"return {loops[0][1:]}"]
    return setup, [*follow, f"return [{', '.join(loops)}]"]


def _make_factory(key: Any, source: str) -> Callable[..., Run]:
    import linecache

    filename = f"<signalpost send {abs(hash(key)):x}>"
    namespace: dict[str, Any] = {
        "__name__": "signalpost.dispatch.generated",
        "MethodType": MethodType,
        "call": call,
    }
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102 - names were checked
    # So that tracebacks and debuggers show the lines. No mtime: never looked up on disk.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    factory: Callable[..., Run] = namespace["make"]
    _factories[key] = factory
    for old in list(_factories)[: max(0, len(_factories) - FACTORIES_KEPT)]:
        oldest = _factories.pop(old, None)  # another thread may be at it
        if oldest is not None:
            linecache.cache.pop(oldest.__code__.co_filename, None)
    return factory
