"""What a run has to hold up to: the history and the tables at its end, against what was committed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.duplicates import Runs, overlaps, spans
from tests.chaos.history import Event

WORKER_LOST = "worker lost"
#: A process that doesn't start may take so long to say so.
SECONDS_TO_FAIL = 2.0


class Sale(NamedTuple):
    """A sale whose transaction was committed."""

    number: int
    poison: bool = False
    line: str = ""
    place: int = 0


class Left(NamedTuple):
    """A row of a delivery that is there at the end."""

    receiver: str
    number: int
    state: str
    attempts: int
    max_attempts: int
    last_error: str


@dataclass(frozen=True)
class Expected:
    """The receivers, by what is promised to them."""

    atomic: frozenset[str]
    ordered: frozenset[str]
    outside: frozenset[str]
    poison: str
    poison_attempts: int


@dataclass(frozen=True)
class Facts:
    """What is known at the end of a run."""

    events: Sequence[Event]
    sales: Sequence[Sale]
    #: By receiver and number, in the order in which they were written.
    effects: Sequence[tuple[str, int]]
    left: Sequence[Left]
    messages: int
    #: The seconds of a claim.
    lease: float


@dataclass
class Verdict:
    """What was seen, and what should not have been."""

    numbers: dict[str, int] = field(default_factory=dict)
    #: By promise, what broke it.
    violations: dict[str, list[str]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not any(self.violations.values())


def judge(facts: Facts, expected: Expected) -> Verdict:
    """Compare what happened with what was promised."""
    runs = [event for event in facts.events if event.kind == "run"]
    duplicates = Runs(facts.events, facts.lease)
    verdict = Verdict()
    verdict.violations = {
        "lost": list(_lost(facts, expected, runs)),
        "invented": list(_invented(facts, expected, runs)),
        "commits unlike the tables": list(_commits(facts)),
        "atomic effects twice": [
            f"{receiver} {number}: {count} effects"
            for (receiver, number), count in Counter(facts.effects).items()
            if count > 1
        ],
        "out of order": list(_out_of_order(facts, expected, runs)),
        "recorded twice": list(_recorded_twice(runs)),
        "duplicates without a cause": list(duplicates.without_cause()),
        "leases lost for nothing": list(duplicates.lost_for_nothing()),
        "rows in a wrong state": list(_wrong_rows(facts, expected)),
        "processes that failed": list(_failed(facts)),
    }
    kinds = Counter(event.kind for event in facts.events)
    killed = Counter(e.process.split("-")[0] for e in facts.events if e.kind == "killed")
    verdict.numbers = {
        "sales committed": len(facts.sales),
        "sales undone": kinds["undone"],
        "deliveries outside, run": len(runs),
        "atomic effects": len(facts.effects),
        "failures of receivers": kinds["failed"],
        "kills of workers by the harness": sum(
            e.kind == "kill" and e.process.startswith("worker") for e in facts.events
        ),
        "kills of workers at failpoints": kinds["failpoint"],
        "kills of workers by poison": kinds["poison"],
        "workers killed in all": killed["worker"],
        "producers killed in all": killed["producer"],
        "workers stopped past their lease": kinds["stopped"],
        "times that a worker was held up": kinds["held up"],
        "restarts of the server": kinds["restarted"],
        "troubles logged": kinds["trouble"],
        "most attempts of a delivery": max((run.attempt for run in runs), default=0),
        "duplicates outside": duplicates.count,
        "budget of duplicates": duplicates.budget,
    }
    return verdict


def _lost(facts: Facts, expected: Expected, runs: Sequence[Event]) -> Iterator[str]:
    seen = {(run.receiver, run.number) for run in runs} | set(facts.effects)
    dead = {(row.receiver, row.number) for row in facts.left}
    for sale in facts.sales:
        if sale.poison:
            if (expected.poison, sale.number) not in dead:
                yield f"{expected.poison} {sale.number}: it killed its workers, but its row is gone"
            continue
        for receiver in sorted(expected.atomic | expected.outside):
            if (receiver, sale.number) not in seen:
                yield f"{receiver} {sale.number}: committed, never delivered"


def _invented(facts: Facts, expected: Expected, runs: Sequence[Event]) -> Iterator[str]:
    sold = {sale.number for sale in facts.sales if not sale.poison}
    poisons = {sale.number for sale in facts.sales if sale.poison}
    for run in runs:
        if run.number not in sold or run.receiver not in expected.outside:
            yield f"{run.receiver} {run.number}: delivered, never committed"
    for receiver, number in facts.effects:
        if number not in sold or receiver not in expected.atomic:
            yield f"{receiver} {number}: has an effect, never committed"
    for event in facts.events:
        if event.kind == "mangled":
            yield f"{event.receiver} {event.number}: delivered with another payload"
        if event.kind == "poison" and event.number not in poisons:
            yield f"{event.receiver} {event.number}: delivered, never committed"
    if facts.messages != len(facts.sales):
        yield f"{facts.messages} messages of {len(facts.sales)} sales"


def _commits(facts: Facts) -> Iterator[str]:
    """A commit that was acknowledged is in the tables, and what was rolled back isn't."""
    sales = {sale.number for sale in facts.sales}
    for event in facts.events:
        if event.kind == "committed" and event.number not in sales:
            yield f"{event.number}: its commit was acknowledged, but it is not there"
        if event.kind == "undone" and event.number in sales:
            yield f"{event.number}: it was rolled back, but is there"


def _out_of_order(facts: Facts, expected: Expected, runs: Sequence[Event]) -> Iterator[str]:
    sales = {sale.number: sale for sale in facts.sales}
    delivered = [(run.receiver, run.number) for run in runs]
    for receiver, number, before in _firsts(
        (pair for pair in [*delivered, *facts.effects] if pair[0] in expected.ordered), sales
    ):
        yield (
            f"{receiver} {number}: first delivered after a later one, at place {before} of "
            f"{sales[number].line}; its own is {sales[number].place}"
        )


def _firsts(
    delivered: Iterable[tuple[str, int]], sales: Mapping[int, Sale]
) -> Iterator[tuple[str, int, int]]:
    """First deliveries that came after that of a later sale of their line, with its place."""
    known: set[tuple[str, int]] = set()
    latest: dict[tuple[str, str], int] = {}
    for receiver, number in delivered:
        sale = sales.get(number)
        if sale is None or (receiver, number) in known:
            continue
        known.add((receiver, number))
        before = latest.get((receiver, sale.line), 0)
        if sale.place < before:
            yield receiver, number, before
        latest[receiver, sale.line] = max(before, sale.place)


def _failed(facts: Facts) -> Iterator[str]:
    """Who ended without being asked to. A worker may refuse to start while the server is away."""
    restarts = spans(facts.events, "restarting", "restarted")
    for event in facts.events:
        if event.kind == "failed by itself" and not (
            event.process.startswith("worker")
            and overlaps(restarts, "server", event.at - SECONDS_TO_FAIL, event.at)
        ):
            yield f"{event.process}: {event.note}"


def _recorded_twice(runs: Sequence[Event]) -> Iterator[str]:
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    for run in runs:
        ids[run.receiver, run.number].add(run.delivery)
    for (receiver, number), found in ids.items():
        if len(found) > 1:
            yield f"{receiver} {number}: delivered under {len(found)} ids"


def _wrong_rows(facts: Facts, expected: Expected) -> Iterator[str]:
    poisons = {sale.number for sale in facts.sales if sale.poison}
    for row in facts.left:
        if row.receiver != expected.poison or row.number not in poisons:
            yield f"{row}: it should have been settled"
        elif (row.state, row.last_error) != ("dead", WORKER_LOST):
            yield f"{row}: a poison ends dead, with {WORKER_LOST!r}"
        elif row.attempts != expected.poison_attempts or row.max_attempts != row.attempts:
            yield f"{row}: its attempts are not used up"
    for (receiver, number), count in Counter((r.receiver, r.number) for r in facts.left).items():
        if count > 1:
            yield f"{receiver} {number}: {count} rows"
    begun = Counter(event.number for event in facts.events if event.kind == "poison")
    for number, count in begun.items():
        if count > expected.poison_attempts:
            yield f"{expected.poison} {number}: begun {count} times"
