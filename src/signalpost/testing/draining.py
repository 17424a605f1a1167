"""Running what is owed, inside a test."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from signalpost.delivery import receivers
from signalpost.delivery.running import Runner, is_expected
from signalpost.delivery.store import DEAD, DONE, Finished

if TYPE_CHECKING:
    from signalpost.django.stores.base import DatabaseStore

_LEASE = 3600.0
_BATCH = 100


@dataclass
class Drained:
    """What `drain` has run."""

    done: int = 0
    #: To be run again, when their backoff is over.
    retried: int = 0
    dead: int = 0
    #: What receivers raised, but for `Retry` and `GiveUp`, and what became of deliveries without.
    errors: list[BaseException | str] = field(default_factory=list[BaseException | str])

    def _note(self, result: Finished, seconds: float, error: BaseException | None) -> None:
        if result.returned:
            self.errors.append(result.error)
        elif result.state == DONE:
            self.done += 1
        elif result.state == DEAD:
            self.dead += 1
        else:
            self.retried += 1
        if error is not None and not is_expected(error):
            self.errors.append(error)
        elif error is None and result.state == DEAD:
            self.errors.append(result.error)


def drain(*aliases: str, queue: str | Iterable[str] | None = None, raises: bool = True) -> Drained:
    """Run the durable deliveries that are due, and those that they lead to, in this thread.

    In the transaction of a `TestCase` too, which never commits. The aliases are those of databases,
    by default all that have something due; `queue` names the queues, by default all. What isn't due
    yet, retries for one, is left.

    Returns what was run. Raises the first error of a receiver once all has been run, unless
    `raises` is false; then `Drained.errors` has them.
    """
    from django.db import connections

    from signalpost.django.stores import store_for

    lanes = [queue] if isinstance(queue, str) else None if queue is None else list(queue)
    drained = Drained()
    for alias in aliases or tuple(connections):
        if aliases or _has_tables(connections[alias]):
            _drain(alias, store_for(alias), lanes, drained)
    if raises and drained.errors:
        first = drained.errors[0]
        raise first if isinstance(first, BaseException) else AssertionError(first)
    return drained


def _drain(alias: str, store: DatabaseStore, lanes: list[str] | None, drained: Drained) -> None:
    from signalpost.django.working import ConnectionChecks, policy_for

    runner = Runner(
        store,
        policy_for(alias),
        checks=ConnectionChecks(),
        told=drained._note,
        on_loop=_run_in_this_thread,
    )
    while True:
        # Each time: what ran may have recorded deliveries of new keys.
        store.noted.clear()
        due = store.due(store.lanes() if lanes is None else lanes)
        ran = False
        for lane, keyed in due:
            options: dict[str, Any] = {"limit": _BATCH, "owner": "drain", "lease": _LEASE}
            if keyed:
                claim = store.claim_keyed(lane, blocks=receivers.blocks, **options)
            else:
                claim = store.claim(lane, **options)
            if claim.owed:
                runner.run(claim, runner.clock() + _LEASE)
                ran = True
        if not ran:
            return


def _run_in_this_thread(
    coroutine: Coroutine[Any, Any, Any], meanwhile: Callable[[], object]
) -> Any:
    """Run it on a loop. Its database work comes back here, to the test's connection."""
    from asgiref.sync import async_to_sync

    async def run() -> Any:
        return await coroutine

    return async_to_sync(run)()


def _has_tables(connection: Any) -> bool:
    """Whether a test may look there, and finds anything."""
    from django.db import DatabaseError

    from signalpost.django.models import Delivery

    try:
        return bool(Delivery._base_manager.using(connection.alias).exists())
    except (AssertionError, DatabaseError):  # another test's database; not migrated
        return False
