"""What adoption changes for models: loading rows and saving one.

Both contenders run in this process. `django.db.models.base` sends four signals that it imported by
name; each sample puts one set of four there, adopted or untouched, and puts Django's own back. The
rest of the ORM is the same code on the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import django.db.models.base
from django.db import connection, models
from django.db.models.signals import ModelSignal

from benchmarks import names, untouched
from benchmarks.adopted import adopt_django, at_least
from benchmarks.contenders import Statement
from benchmarks.receivers import model_receivers
from benchmarks.rows import Row, Setup, Table, timed
from benchmarks.timing import Contender

_ROWS: Final = 20_000
# Each sample loads a page: what one row costs is the same, and a sample of all 20,000 takes so long
# that the machine's noise changes in the middle of it.
_PAGE: Final = 2_000
_SIGNALS: Final = ("pre_init", "post_init", "pre_save", "post_save")


@cache
def _model() -> Any:
    """A model of four fields with its table filled."""
    fields: dict[str, object] = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"app_label": "benchmarks"}),
        "author": models.CharField(max_length=50),
        "email": models.EmailField(),
        "text": models.TextField(),
    }
    model: Any = type("Comment", (models.Model,), fields)
    with connection.schema_editor() as editor:
        editor.create_model(model)
    rows = (
        model(author=f"reader {at}", email="reader@example.com", text="…") for at in range(_ROWS)
    )
    model.objects.bulk_create(rows)
    return model


class _WithSignals:
    """A contender whose samples run with its own signals in the place of Django's."""

    def __init__(self, signals: Mapping[str, Any], statement: Statement) -> None:
        self._signals = signals
        self._statement = statement

    def warm_up(self, sample_ns: int) -> None:
        with self._in_place():
            self._statement.warm_up(sample_ns)

    def sample(self) -> float:
        with self._in_place():
            return self._statement.sample()

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        module = vars(django.db.models.base)
        own = {name: module[name] for name in _SIGNALS}
        module.update(self._signals)
        try:
            yield
        finally:
            module.update(own)


def _pair(make_statement: Callable[[], Statement], *, to: str, receivers: int) -> Setup:
    """The statement with adopted and with untouched signals, and receivers of the signal `to`."""

    def contender(signal_class: Any) -> Contender:
        signals = {name: signal_class(use_caching=True) for name in _SIGNALS}
        for receiver in model_receivers(receivers):
            signals[to].connect(receiver, sender=_model(), weak=False)
        return _WithSignals(signals, make_statement())

    @contextmanager
    def setup() -> Iterator[Mapping[str, Contender]]:
        adopt_django()
        yield {
            names.ADOPTED: contender(ModelSignal),
            names.UNTOUCHED: contender(untouched.ModelSignal),
        }

    return setup


def _loading() -> Statement:
    return Statement("list(rows.all())", rows=_model().objects.all()[:_PAGE])


def _saving() -> Statement:
    return Statement("comment.save()", comment=_model().objects.first())


TABLE = Table(
    title="Adopted: models",
    unit="ms each",
    divisor=1_000_000,
    columns=(names.ADOPTED, names.UNTOUCHED),
    rows=(
        Row(
            f"loading rows, {_PAGE:,} of {_ROWS:,}",
            timed(_pair(_loading, to="post_init", receivers=0)),
            at_least(1.03),
        ),
        Row(
            f"loading rows, {_PAGE:,} of {_ROWS:,}, one post_init receiver",
            timed(_pair(_loading, to="post_init", receivers=1)),
            at_least(1.03),
        ),
        Row("save()", timed(_pair(_saving, to="post_save", receivers=0)), at_least(1.0)),
        Row(
            "save(), 5 post_save receivers",
            timed(_pair(_saving, to="post_save", receivers=5)),
            at_least(1.0),
        ),
    ),
    note=(
        "A model of four fields in SQLite in memory. `django.db.models.base` is given adopted or "
        "untouched signals for each sample, in the same process."
    ),
)
