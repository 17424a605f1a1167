"""Signals for bulk writes, where a model asks for them.

`BulkSignalsManager` in the place of `models.Manager`, or `BulkSignalsMixin` among the bases of a
queryset. Other querysets are left as Django made them.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from django.db import transaction
from django.db.models import Manager, Model, QuerySet
from django.db.models.signals import post_save, pre_save

from signalpost.dispatch import ruled
from signalpost.dispatch.plan import plan_for
from signalpost.dispatch.signatures import parameters_of
from signalpost.django import signals
from signalpost.django.before import Before, remember_each

if TYPE_CHECKING:
    from signalpost.dispatch.options import Connecting

# Whether `bulk_update` runs, which makes its own calls of `update`.
_inside: ContextVar[bool] = ContextVar("signalpost_bulk_update", default=False)


def bulk_option(connecting: Connecting, value: Any) -> None:
    """The option `bulk` of `connect`."""
    connecting.check_flag("bulk", value)
    signal = cast("object", connecting.signal)
    if signal is not post_save and signal is not pre_save:
        raise connecting.refusal(
            "bulk= is for pre_save and post_save, which bulk writes don't send by themselves. "
            "Leave it out."
        )
    connecting.rules.bulk = True


class BulkSignalsMixin:
    """A queryset that sends signals for `bulk_create`, `bulk_update` and `update`.

    And, for the receivers of `pre_save` and `post_save` that were connected with ``bulk=True``,
    those for each object. Where nobody listens nothing is queried and nothing is sent.
    """

    if TYPE_CHECKING:
        model: type[Model]

        @property
        def db(self) -> str: ...

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Django's, between `pre_bulk_create` and `post_bulk_create`."""
        create = super().bulk_create  # type: ignore[misc]  # QuerySet's
        writing = _Writing(self.model, self.db)
        if not writing.anybody(signals.pre_bulk_create, signals.post_bulk_create):
            return cast("list[Any]", create(objs, *args, **kwargs))
        objs = list(objs)
        options = {**_CREATE_OPTIONS, **dict(zip(_CREATE_OPTIONS, args, strict=False)), **kwargs}
        writing.send(signals.pre_bulk_create, objs=objs, **options)
        if writing.listeners(pre_save):
            for obj in objs:
                Before(None).set_on(obj)
        writing.send_each(pre_save, objs)
        created = cast("list[Any]", create(objs, *args, **kwargs))
        writing.send(signals.post_bulk_create, objs=created, **options)
        writing.send_each(post_save, created, created=True)
        return created

    def bulk_update(
        self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        """Django's, between `pre_bulk_update` and `post_bulk_update`."""
        update = super().bulk_update  # type: ignore[misc]  # QuerySet's
        writing = _Writing(self.model, self.db)
        if not writing.anybody(signals.pre_bulk_update, signals.post_bulk_update):
            with _bulk_update():
                return cast("int", update(objs, fields, batch_size))
        objs, fields = tuple(objs), tuple(fields)
        options: dict[str, Any] = {"objs": objs, "fields": fields, "batch_size": batch_size}
        writing.remember(objs)
        writing.send(signals.pre_bulk_update, **options)
        writing.send_each(pre_save, objs, update_fields=frozenset(fields))
        with _bulk_update():
            rows = cast("int", update(objs, fields, batch_size))
        writing.send(signals.post_bulk_update, rows=rows, **options)
        writing.send_each(post_save, objs, created=False, update_fields=frozenset(fields))
        return rows

    def update(self, **values: Any) -> int:
        """Django's, between `pre_update` and `post_update`."""
        update: Any = super().update  # type: ignore[misc]  # QuerySet's
        queryset = cast("QuerySet[Any]", self)
        writing = _Writing(self.model, self.db)
        anybody = writing.anybody(signals.pre_update, signals.post_update)
        if _inside.get() or queryset.query.is_sliced or not anybody:
            return cast("int", update(**values))
        if not writing.wants_keys():
            return self._update_between(writing, update, values, None)
        # In one transaction, so that the keys are those of the rows that are changed, as far as
        # the isolation of the transactions goes.
        with transaction.atomic(using=self.db):
            keys = tuple(queryset.using(self.db).order_by().values_list("pk", flat=True))
            return self._update_between(writing, update, values, keys)

    def _update_between(
        self, writing: _Writing, update: Any, values: dict[str, Any], keys: Sequence[Any] | None
    ) -> int:
        each = writing.objects(keys) if keys is not None else []
        options: dict[str, Any] = {"queryset": self, "values": values, "keys": keys}
        writing.remember(each)
        writing.send(signals.pre_update, **options)
        writing.send_each(pre_save, each, update_fields=frozenset(values))
        rows = cast("int", update(**values))
        writing.send(signals.post_update, rows=rows, **options)
        if each and writing.listeners(post_save):
            before = {obj.pk: obj._state for obj in each}
            each = writing.objects(keys or ())
            for obj in each:  # with what was remembered of it
                vars(obj._state).update(vars(before[obj.pk]))  # pyright: ignore[reportUnknownMemberType]
            writing.send_each(post_save, each, created=False, update_fields=frozenset(values))
        return rows

    # Not to be called from a template, as Django's.
    bulk_create.alters_data = True  # type: ignore[attr-defined]
    bulk_update.alters_data = True  # type: ignore[attr-defined]
    update.alters_data = True  # type: ignore[attr-defined]


class BulkSignalsQuerySet(BulkSignalsMixin, QuerySet[Any]):  # narrower
    """A queryset that sends signals for bulk writes."""


_from_queryset: Any = Manager.from_queryset  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
BulkSignalsManager: Any = _from_queryset(BulkSignalsQuerySet, "BulkSignalsManager")

# The options of Django's `bulk_create`, in order, with their defaults.
_CREATE_OPTIONS: dict[str, Any] = {
    "batch_size": None,
    "ignore_conflicts": False,
    "update_conflicts": False,
    "update_fields": None,
    "unique_fields": None,
}


class _Writing:
    """One bulk write of a model: whom it concerns, and how they are told."""

    def __init__(self, model: type[Model], using: str) -> None:
        self.model = model
        self.using = using

    def anybody(self, *concerned: Any) -> bool:
        return any(signal.has_listeners(self.model) for signal in concerned) or bool(
            self.listeners(pre_save) or self.listeners(post_save)
        )

    def listeners(self, signal: Any) -> list[Any]:
        """References to the receivers that were connected with ``bulk=True``."""
        if not getattr(signal, "_ruled", False):
            return []
        plan = plan_for(signal, self.model)
        targets: list[Any] = [*plan.sync, *plan.asynchronous]
        return [t for t in targets if isinstance(t, ruled.RuledTarget) and t.rules.bulk]

    def wants_keys(self) -> bool:
        if self.listeners(pre_save) or self.listeners(post_save):
            return True
        for signal in (signals.pre_update, signals.post_update):
            plan = plan_for(signal, self.model)
            for target in (*plan.sync, *plan.asynchronous):
                receiver: Any = target()
                receiver = getattr(receiver, "__wrapped__", receiver)
                if receiver is not None and "keys" in parameters_of(receiver).names:
                    return True
        return False

    def objects(self, keys: Collection[Any]) -> list[Any]:
        """The objects of these keys, where a receiver is called for each."""
        if not keys or not (self.listeners(pre_save) or self.listeners(post_save)):
            return []
        found = self.model._base_manager.using(self.using).in_bulk(list(keys))
        return [found[key] for key in keys if key in found]

    def remember(self, objs: Iterable[Model]) -> None:
        from signalpost.django.fields import watched

        if self.listeners(post_save) or self.listeners(pre_save):
            remember_each(self.model, objs, watched(self.model), self.using)

    def send(self, signal: Any, **payload: Any) -> None:
        if signal.has_listeners(self.model):
            signal.send(sender=self.model, using=self.using, **payload)

    def send_each(
        self,
        signal: Any,
        objs: Iterable[Model],
        *,
        update_fields: frozenset[str] | None = None,
        **payload: Any,
    ) -> None:
        """Call the receivers that were connected with ``bulk=True``, for each of the objects."""
        if not self.listeners(signal):
            return
        for obj in objs:
            receivers = [r for target in self.listeners(signal) if (r := target()) is not None]
            named = {
                "instance": obj,
                "raw": False,
                "using": self.using,
                "update_fields": update_fields,
                **payload,
            }
            ruled.call_these(receivers, signal, self.model, named, {"before": True})


@contextmanager
def _bulk_update() -> Generator[None, None, None]:
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)
