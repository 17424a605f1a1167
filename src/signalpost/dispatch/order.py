"""`before=` and `after=`: a receiver's place among the others of its signal.

Call order is by priority, then by connection. What `before` and `after` ask for comes first: a
receiver waits for those that it is to follow, whatever their priority.
"""

from __future__ import annotations

from signalpost.dispatch.entries import call_order, make_id
from signalpost.dispatch.names import receiver_name
from signalpost.exceptions import ReceiverError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from signalpost.dispatch.entries import Entry
    from signalpost.dispatch.registry import Registry
    from signalpost.dispatch.signal import Signal


class Matcher:
    """Tells the entries of the receiver that `before` or `after` names."""

    __slots__ = ("identity", "name")

    identity: Any
    name: str

    def __init__(self, named: Any) -> None:
        self.name = named if isinstance(named, str) else receiver_name(named)
        # A function by its name too: its id may be another's once it is gone.
        self.identity = None if isinstance(named, str) else make_id(named)

    def __call__(self, entry: Entry) -> bool:
        if entry.receiver_id == self.name:  # its dispatch_uid
            return True
        receiver = entry.reference()
        if receiver is None:
            return False
        name = receiver_name(receiver)
        if self.identity is not None:
            return make_id(receiver) == self.identity and name == self.name
        return name == self.name or name.endswith(f".{self.name}")


def arrange(entries: Iterable[Entry]) -> list[Entry]:
    """The entries in call order, each behind those that it follows.

    Where they form a circle, which `check` refuses, the rest is in call order.
    """
    waiting = sorted(entries, key=call_order)
    followed = _followed(waiting)
    arranged: list[Entry] = []
    while waiting:
        placed = {id(entry) for entry in arranged}
        free = (entry for entry in waiting if followed[id(entry)] <= placed)
        chosen = next(free, waiting[0])
        waiting.remove(chosen)
        arranged.append(chosen)
    return arranged


def check(signal: Signal, registry: Registry, entry: Entry) -> None:
    """Refuse an entry whose `before` or `after` names nobody, or can't be kept."""
    rules = entry.rules
    if rules is None or not (rules.before or rules.after):
        return
    others = [each for each in registry.entries() if each.reference() is not None]
    start = f"Cannot connect '{receiver_name(entry.reference())}' to signal '{signal.name}': "
    for option, matchers in (("before", rules.before), ("after", rules.after)):
        for matcher in matchers:
            found = [each for each in others if matcher(each)]
            if not found:
                raise ReceiverError(start + _unknown(option, matcher, others))
            for each in found:
                _check_kinds(start, option, entry, each)
    _check_circle(start, [*others, entry], entry)


def _followed(entries: Sequence[Entry]) -> dict[int, set[int]]:
    """For each entry, by its id, the ids of those that it runs after."""
    followed: dict[int, set[int]] = {id(entry): set() for entry in entries}
    for entry in entries:
        rules = entry.rules
        if rules is None:
            continue
        for other in entries:
            if other is entry:
                continue
            if any(matcher(other) for matcher in rules.after):
                followed[id(entry)].add(id(other))
            if any(matcher(other) for matcher in rules.before):
                followed[id(other)].add(id(entry))
    return followed


def _unknown(option: str, matcher: Matcher, others: Sequence[Entry]) -> str:
    from difflib import get_close_matches

    names = list(dict.fromkeys(receiver_name(each.reference()) for each in others))
    short = {name.rpartition(".")[2]: name for name in names}
    near = get_close_matches(matcher.name.rpartition(".")[2], short, n=1)
    if near:
        cure = f"Did you mean '{short[near[0]]}'?"
    else:
        opposite = "after" if option == "before" else "before"
        cure = f"Connect that one first, or say {opposite}=... where it is connected."
    return f"{option}='{matcher.name}' names no receiver of that signal. {cure}"


def _check_kinds(start: str, option: str, entry: Entry, other: Entry) -> None:
    late, early = (other, entry) if option == "before" else (entry, other)
    if not early.is_async:
        return
    name = receiver_name(other.reference())
    reason = (
        "async receivers are awaited together"
        if late.is_async
        else "async receivers run after the others"
    )
    raise ReceiverError(f"{start}{option}='{name}' can't be kept, since {reason}.")


def _check_circle(start: str, entries: Sequence[Entry], entry: Entry) -> None:
    followed = _followed(entries)
    by_id = {id(each): each for each in entries}

    def path_back(at: int, seen: tuple[int, ...]) -> tuple[int, ...] | None:
        for following in followed[at]:
            if following == id(entry):
                return (*seen, at)
            if following not in seen and (found := path_back(following, (*seen, at))):
                return found
        return None

    found = path_back(id(entry), ())
    if found is not None:
        names = [f"'{receiver_name(by_id[each].reference())}'" for each in found]
        circle = " runs after ".join([*names, names[0]])
        raise ReceiverError(f"{start}its order is a circle: {circle}. Take one of them out.")
