"""The tables, one module each, in the order in which they are measured."""

from __future__ import annotations

from benchmarks.rows import Table
from benchmarks.tables import (
    adopted_sends,
    asends,
    changes,
    connections,
    durable,
    imports,
    listing,
    memory,
    models,
    patched,
    sends,
)

TABLES: tuple[Table, ...] = (
    sends.TABLE,
    asends.TABLE,
    connections.TABLE,
    changes.TABLE,
    memory.TABLE,
    imports.TIME,
    imports.UNWANTED,
    adopted_sends.TABLE,
    patched.TABLE,
    models.TABLE,
    listing.TABLE,
    durable.RECORDING,
    durable.DELIVERING,
    durable.WAITING,
)
