"""The signals of bulk writes, sent for models whose manager is a `BulkSignalsManager`.

Their sender is the model. Receivers name only what they want of what is sent.
"""

from __future__ import annotations

from signalpost import Signal

_CREATE = (
    "objs",
    "batch_size",
    "ignore_conflicts",
    "update_conflicts",
    "update_fields",
    "unique_fields",
    "using",
)

pre_bulk_create: Signal = Signal(
    providing_args=_CREATE,
    doc="Before bulk_create(): objs are the instances, using the database's alias.",
)
post_bulk_create: Signal = Signal(
    providing_args=_CREATE,
    doc="After bulk_create(): objs are what it returned, with keys where the database gives them.",
)
pre_bulk_update: Signal = Signal(
    providing_args=("objs", "fields", "batch_size", "using"),
    doc="Before bulk_update(): fields are the names of those that are written.",
)
post_bulk_update: Signal = Signal(
    providing_args=("objs", "fields", "batch_size", "using", "rows"),
    doc="After bulk_update(): rows is how many it matched.",
)
pre_update: Signal = Signal(
    providing_args=("queryset", "values", "keys", "using"),
    doc="Before update(): values are its arguments; keys are fetched for receivers that name them.",
)
post_update: Signal = Signal(
    providing_args=("queryset", "values", "keys", "using", "rows"),
    doc="After update(): keys are those of the rows that it changed, rows how many they are.",
)
