"""An index of the rows in one state, on databases that have partial indexes and on those that don't."""

from __future__ import annotations

from typing import Any

from django.db import models


class StateIndex(models.Index):
    """An index of the rows that its condition, which is about `state`, is true of.

    MariaDB and MySQL have no such indexes, and build it whole, so there `state` comes first in it.
    Elsewhere it must not: PostgreSQL drops from a scan's bounds what the condition says already, and
    would read the index from its start (measured: 48 ms instead of 0.1 ms to find the next lane behind
    300,000 rows).
    """

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        """The statement that makes the index."""
        if schema_editor.connection.features.supports_partial_indexes:
            return super().create_sql(model, schema_editor, using, **kwargs)
        whole = models.Index(fields=["state", *self.fields], name=self.name)
        return whole.create_sql(model, schema_editor, using, **kwargs)
