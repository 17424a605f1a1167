"""What one sender's sends call: worked out once, used until a connection changes.

What a send runs is published as one attribute of the signal, `_run`, called as
``run(signal, sender, named)``. It is, whichever fits:

- None: nothing is connected;
- `replan`: a connection has changed, work the plans out again;
- the run of the one plan for all senders: generated code once it is hot;
- a route to the sender's plan, where some receivers are connected for one sender only;
- the dialect's `run_live`: `_live_receivers` was replaced, or ids aren't `id()`s.

Each publication is one pointer store or one step of a dict, so a send, which takes no lock, sees
the old plan or the new one and nothing in between.
"""

from __future__ import annotations

from signalpost.dispatch import calls
from signalpost.dispatch.entries import NONE_ID, SenderRef
from signalpost.dispatch.unheard import let_off, tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from signalpost.dispatch.registry import Registry
    from signalpost.dispatch.signal import Signal
    from signalpost.dispatch.types import Responses, Run

# New code costs 60-200 µs, so it is generated for a payload's names that come again. Names may come
# from users' data, so a plan counts and keeps a bounded number of them.
SENDS_BEFORE_CODE: int = 4
NAMES_COUNTED: int = 32
CODES_KEPT: int = 8


class Plan:
    """The receivers that one sender's sends reach, in call order, and the code that calls them.

    Refers to nothing that refers to it: what it holds strongly goes with it, at once.
    """

    __slots__ = ("asynchronous", "codes", "counts", "fixed", "run", "sender_id", "sync")

    asynchronous: tuple[Callable[[], Any], ...]
    codes: dict[tuple[str, ...], Run]
    counts: dict[tuple[str, ...], int]
    fixed: Run | None
    run: Run
    sender_id: Any
    sync: tuple[Callable[[], Any], ...]

    def __init__(self, signal: Signal, sender: Any, sender_id: Any) -> None:
        registry = signal._registry
        entries = registry.entries_for(sender, sender_id)
        if registry.noted:
            let_off(registry)
        self.sender_id = sender_id
        self.sync = tuple(entry.target for entry in entries if not entry.is_async)
        self.asynchronous = tuple(entry.target for entry in entries if entry.is_async)
        self.counts = {}
        self.codes = {}
        ruled = signal._ruled and any(entry.rules is not None for entry in entries)
        self.fixed = calls.call_all if ruled else self._choose_fixed(signal)
        self.run = self.fixed or run_planned

    def _choose_fixed(self, signal: Signal) -> Run | None:
        """What runs the plan where no code is generated for it."""
        if not self.sync and not self.asynchronous and signal._payload is None:
            return _run_nothing
        return signal._dialect.run_live if self.asynchronous else None

    def code_for(self, signal: Signal, named: dict[str, Any]) -> Run | None:
        """The code for a payload of these names, generated once they have come a few times."""
        names = tuple(named)
        run = self.codes.get(names)
        if run is not None or self.fixed is not None:
            return run
        count = self.counts.get(names, 0) + 1
        if len(self.counts) >= NAMES_COUNTED:
            self.counts.clear()
        self.counts[names] = count
        if count <= SENDS_BEFORE_CODE or len(self.codes) >= CODES_KEPT:
            return None
        from signalpost.dispatch import codegen  # 0.5 ms: not before something is hot

        run = codegen.make_run(self, signal, names, run_planned, _run_stale)
        if run is None:
            self.counts[names] = -1_000_000  # can't be generated; don't try at each send
            return None
        self.codes[names] = run
        if len(self.codes) == 1:
            _promote(signal, self, run)
        return run


class Table:
    """All plans of one signal, published together.

    `runs` has an item for each sender with receivers of its own: what `_route` calls. `made` has
    those of their plans that were made so far. `default` is the plan of all other senders.
    `heirs` notice the end of classes that were given a plan since they may inherit receivers.
    """

    __slots__ = ("default", "heirs", "made", "runs", "sole")

    default: Plan
    heirs: list[SenderRef]
    made: dict[Any, Plan]
    runs: dict[Any, Run]
    sole: Callable[[], Any] | None

    def __init__(self, default: Plan, runs: dict[Any, Run]) -> None:
        self.default = default
        self.runs = runs
        self.heirs = []
        self.made = {}
        # The one receiver that there is, for any sender, where it is async and has no rules.
        alone = not runs and not default.sync and len(default.asynchronous) == 1
        alone = alone and default.fixed is not calls.call_all
        self.sole = default.asynchronous[0] if alone else None

    def forget(self, sender_id: Any) -> None:
        # Each `pop` is one step; called where a sender dies, so without a lock.
        self.runs.pop(sender_id, None)
        self.made.pop(sender_id, None)


def forget(registry: Registry, sender_id: Any, sender: Any) -> None:
    """The connections of one sender have changed. The caller holds the lock."""
    table = registry.table
    if sender is not None and sender_id != id(sender):
        registry.odd_ids = True
        forget_all(registry)
    elif table is None or sender_id == NONE_ID or sender_id not in table.runs or registry.inherits:
        forget_all(registry)
    elif sender_id in registry.groups:
        table.runs[sender_id] = run_planned
        table.made.pop(sender_id, None)
    else:
        table.forget(sender_id)  # none of its own any more: the default serves


def forget_all(registry: Registry) -> None:
    registry.table = None
    signal = registry.signal()
    if signal is not None:  # else it is being finalized, and a ``__del__`` disconnects
        listened = registry.groups or signal._payload is not None or registry.scopes
        signal._run = replan if listened else None


def plan_for(signal: Signal, sender: Any) -> Plan:
    """The sender's plan, made now if need be."""
    registry = signal._registry
    table = registry.table or _plan_all(signal)
    sender_id = registry.dialect.make_id(sender) if registry.odd_ids else id(sender)
    plan = table.made.get(sender_id)
    if plan is not None:
        return plan
    if sender_id not in table.runs:
        if not registry.inherits or not isinstance(sender, type):
            return table.default
        table.heirs.append(SenderRef(sender, registry, sender_id))
        table.runs[sender_id] = run_planned
    return _plan_one(signal, sender, sender_id)


def replan(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
    """Send after a connection has changed."""
    _plan_all(signal)
    run = signal._run
    return [] if run is None else run(signal, sender, named)


def run_planned(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
    """Send by the sender's plan: before it has code, or where its code meets other names."""
    plan = plan_for(signal, sender)
    run = plan.code_for(signal, named) or plan.fixed or signal._dialect.run_live
    return run(signal, sender, named)


def _run_overridden(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
    """`_live_receivers` was replaced when the plans were made; it may have been restored since."""
    registry = signal._registry
    if signal._has_own_live_receivers():
        return registry.dialect.run_live(signal, sender, named)
    with signal.lock:
        forget_all(registry)
    return replan(signal, sender, named)


def _run_stale(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
    """Generated code has met a dead receiver: make another plan for the next send."""
    registry = signal._registry
    with signal.lock:
        registry.flagged = True
        forget_all(registry)
    return registry.dialect.run_live(signal, sender, named)


def _run_nothing(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
    return []


def _route(runs: dict[Any, Run], default: Run) -> Run:
    def route(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
        return runs.get(id(sender), default)(signal, sender, named)

    return route


def _route_heirs(runs: dict[Any, Run], default: Run) -> Run:
    """As `_route`, where a class may inherit receivers: its plan is made when it first sends."""

    def route(signal: Signal, sender: Any, named: dict[str, Any]) -> Responses:
        run = runs.get(id(sender))
        if run is None:
            run = run_planned if isinstance(sender, type) else default
        return run(signal, sender, named)

    return route


def _promote(signal: Signal, plan: Plan, run: Run) -> None:
    """Have the plan's sends run the code that was generated for it."""
    registry = signal._registry
    with signal.lock:
        plan.run = run
        table = registry.table
        if table is None:
            return
        if plan is table.default:
            signal._run = _choose_run(signal, table)
        elif table.made.get(plan.sender_id) is plan:
            table.runs[plan.sender_id] = run


def _plan_all(signal: Signal) -> Table:
    registry = signal._registry
    with signal.lock:
        while True:
            if registry.has_dead():
                registry.sweep()
            version = registry.version
            senders = [sender_id for sender_id in list(registry.groups) if sender_id != NONE_ID]
            table = Table(Plan(signal, None, NONE_ID), dict.fromkeys(senders, run_planned))
            registry.table = table
            signal._run = _choose_run(signal, table)
            if version == registry.version:
                break
    if registry.noted:
        tell(signal)
    return table


def _choose_run(signal: Signal, table: Table) -> Run | None:
    registry = signal._registry
    if registry.scopes:
        return calls.call_all
    if signal._has_own_live_receivers():
        return _run_overridden
    if registry.odd_ids:
        return registry.dialect.run_live
    if registry.inherits:
        return _route_heirs(table.runs, table.default.run)
    if table.runs:
        return _route(table.runs, table.default.run)
    return table.default.run if registry.groups or signal._payload is not None else None


def _plan_one(signal: Signal, sender: Any, sender_id: Any) -> Plan:
    registry = signal._registry
    with signal.lock:
        while True:
            version = registry.version
            plan = Plan(signal, sender, sender_id)
            table = registry.table
            if table is not None and sender_id in table.runs:
                table.made[sender_id] = plan
                table.runs[sender_id] = plan.run
            if version == registry.version:
                break
    if registry.noted:
        tell(signal)
    return plan
