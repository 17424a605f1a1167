"""The sender's transactions: waiting for the commit, and undoing what a failed receiver did.

All contact with the private names of Django's database connections is here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction

from signalpost.django.snapshots import snapshot

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class DjangoTransactions:
    """What deliveries need of Django's databases: `signalpost.delivery.on_commit.Transactions`."""

    def default(self) -> str:
        """The database of signals that don't name one."""
        return DEFAULT_DB_ALIAS

    def runs_at_once(self, using: str) -> bool:
        connection = connections[using]
        # Without `atomic` and autocommit there is a transaction that Django doesn't manage:
        # `on_commit` refuses it, as it should.
        return not connection.in_atomic_block and connection.get_autocommit()

    def on_commit(self, callback: Callable[[], None], using: str) -> None:
        transaction.on_commit(callback, using=using)

    def savepoints(self, using: str) -> frozenset[Any]:
        connection: Any = connections[using]
        guards = [each for each in connection.execute_wrappers if isinstance(each, _Savepoint)]
        return frozenset([*connection.savepoint_ids, *guards]) - {None}

    def connection(self, using: str) -> Any:
        return connections[using]

    def snapshot(self, named: dict[str, Any]) -> dict[str, Any]:
        return snapshot(named)


def in_transaction() -> bool:
    """Whether a transaction is open in this thread."""
    return any(connection.in_atomic_block for connection in connections.all(initialized_only=True))


class Protection:
    """Undoes, where the block fails, what it did in the transactions that were open before.

    Where it does nothing, no savepoint is made: a receiver that only sends a mail costs no query.
    """

    def __init__(self) -> None:
        self._savepoints: list[_Savepoint] = []

    def __enter__(self) -> None:
        opened = connections.all(initialized_only=True)
        self._savepoints = [_Savepoint(each) for each in opened if each.in_atomic_block]
        for savepoint in self._savepoints:
            savepoint.watch()

    def __exit__(self, exc_type: type[BaseException] | None, *exc_info: object) -> None:
        for savepoint in reversed(self._savepoints):
            savepoint.leave(failed=exc_type is not None)

    async def __aenter__(self) -> None:
        await sync_to_async(self.__enter__)()

    async def __aexit__(self, *exc_info: Any) -> None:  # noqa: PYI036 - passed on
        await sync_to_async(self.__exit__)(*exc_info)


class _Savepoint:
    """A savepoint of one connection, made before the first query after `watch`.

    Not an `atomic` block: it may have to begin inside an ``atomic(savepoint=False)`` that ends
    before it does.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection: Any = connection
        self.sid: str | None = None
        self._begun = False
        self._was_broken = connection.needs_rollback
        self._callbacks = len(self.connection.run_on_commit)

    def watch(self) -> None:
        self.connection.execute_wrappers.append(self)

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if not self._begun and not self.connection.needs_rollback:
            self._begun = True  # first: its own statement comes through here too
            self.sid = self.connection.savepoint()
        return execute(sql, params, many, context)

    def leave(self, *, failed: bool) -> None:
        self.connection.execute_wrappers.remove(self)
        if self.connection.closed_in_transaction or not self.connection.in_atomic_block:
            return  # there is nothing left to save
        if not failed:
            # It may have swallowed an error that broke the transaction.
            failed = self.connection.needs_rollback and not self._was_broken
        if failed:
            self._undo()
        elif self.sid is not None:
            try:
                self.connection.savepoint_commit(self.sid)
            except DatabaseError:
                self._undo()
                raise

    def _undo(self) -> None:
        if not self._was_broken:
            self.connection.needs_rollback = False
        del self.connection.run_on_commit[self._callbacks :]
        if self.sid is None:
            return
        try:
            self.connection.savepoint_rollback(self.sid)
            # The savepoint still stands after it is rolled back to, on the stack of the database.
            self.connection.savepoint_commit(self.sid)
        except DatabaseError:
            self.connection.needs_rollback = True  # only the whole can be undone now
