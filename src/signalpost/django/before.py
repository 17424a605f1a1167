"""The values that an instance's fields had before it was saved."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import NOT_PROVIDED, Field, Model
from django.db.models.fields.files import FieldFile

from signalpost.django.changes import Change

if TYPE_CHECKING:
    from typing import TypeAlias

Values: TypeAlias = "dict[str, Field[Any, Any]]"

_BEFORE = "signalpost_before"
_LOADED = "signalpost_loaded"
_MUTABLE = (list, dict, set, bytearray)


class Before:
    """What was remembered of an instance, by attname; `values` is None where it had no row."""

    __slots__ = ("fresh", "values")

    fresh: bool
    values: Mapping[str, Any] | None

    def __init__(self, values: Mapping[str, Any] | None) -> None:
        self.values = values
        #: Whether it was noted in the send that goes on.
        self.fresh = False

    def take_fresh(self) -> bool:
        """Whether it is fresh, which it isn't any more."""
        fresh, self.fresh = self.fresh, False
        return fresh

    @classmethod
    def of(cls, instance: Model) -> Before:
        before: Before | None = getattr(instance._state, _BEFORE, None)
        return cls({}) if before is None else before

    def set_on(self, instance: Model) -> None:
        setattr(instance._state, _BEFORE, self)

    def compare(
        self,
        instance: Model,
        fields: Values,
        *,
        update_fields: Collection[str] | None,
        created: bool,
    ) -> dict[str, Change]:
        """The changes of those of the fields that were saved."""
        changes: dict[str, Change] = {}
        values = None if created else self.values
        for name, field in fields.items():
            if field.attname not in instance.__dict__:  # deferred, so not saved
                continue
            if not _is_saved(field, update_fields):
                continue
            new = instance.__dict__[field.attname]
            if values is None:
                changes[name] = Change(None, _kept(new))
            elif field.attname in values:
                old = values[field.attname]
                if not _same(field, old, new):
                    changes[name] = Change(old, _kept(new))
        return changes


def remember(
    sender: type[Model],
    fields: Iterable[Field[Any, Any]],
    *,
    instance: Model,
    using: str,
    update_fields: Collection[str] | None = None,
    **named: Any,
) -> None:
    """Note what a row has before a save of the instance, by no query or one."""
    wanted = [
        field.attname
        for field in fields
        if field.attname in instance.__dict__ and _is_saved(field, update_fields)
    ]
    Before(_values(sender, instance, using, wanted)).set_on(instance)


def remember_each(
    model: type[Model], objs: Iterable[Model], fields: Iterable[Field[Any, Any]], using: str
) -> None:
    """Note what the rows have before a bulk write, by one query for all."""
    attnames = [field.attname for field in fields]
    objs = list(objs)
    if not attnames or not objs:
        return
    rows = model._base_manager.using(using).filter(pk__in=[obj.pk for obj in objs])
    by_pk = {row["pk"]: row for row in rows.values("pk", *attnames)}
    for obj in objs:
        Before(by_pk.get(obj.pk)).set_on(obj)


def _values(
    sender: type[Model], instance: Model, using: str, wanted: list[str]
) -> Mapping[str, Any] | None:
    if not wanted:
        return {}
    if instance.pk is None or _will_be_inserted(instance):
        return None
    loaded: Mapping[str, Any] = getattr(instance._state, _LOADED, {})
    if instance._state.db == using and all(name in loaded for name in wanted):
        return {name: loaded[name] for name in wanted}
    rows = sender._base_manager.using(using).filter(pk=instance.pk).values(*wanted)[:1]
    return next(iter(rows), None)


def _will_be_inserted(instance: Model) -> bool:
    """Whether `save` inserts without looking for a row, as for a new one with a default key."""
    pk = instance._meta.pk
    has_default = pk.default is not NOT_PROVIDED or getattr(pk, "db_default", None) not in (
        None,
        NOT_PROVIDED,
    )
    return instance._state.adding and has_default


def _is_saved(field: Field[Any, Any], update_fields: Collection[str] | None) -> bool:
    return update_fields is None or field.name in update_fields or field.attname in update_fields


def _same(field: Field[Any, Any], old: Any, new: Any) -> bool:
    if hasattr(new, "resolve_expression"):  # F("stock") - 1: what it comes to isn't known
        return False
    return bool(_plain(field, old) == _plain(field, new))


def _plain(field: Field[Any, Any], value: Any) -> Any:
    """The value as the field's Python type: "5" that a form has set on a number is 5."""
    if isinstance(value, FieldFile):
        return value.name or ""
    try:
        return field.to_python(value)
    except (ValidationError, TypeError, ValueError):
        return value


def _kept(value: Any) -> Any:
    return copy.deepcopy(value) if type(value) in _MUTABLE else value


class FieldChangesMixin:
    """A model whose instances remember their fields, so that ``fields=`` needs no query.

    Write it before `models.Model`: ``class Order(FieldChangesMixin, models.Model)``. What was
    loaded or saved last counts as the value before, even where another process has changed the row
    since. Loading a row takes about twice as long.
    """

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any, **options: Any) -> Any:
        """Django's, and remembers the values."""
        load: Any = super().from_db  # type: ignore[misc]  # Model's
        instance = load(db, field_names, values, **options)  # pyright: ignore[reportUnknownVariableType]
        _remember_loaded(instance)
        return instance  # pyright: ignore[reportUnknownVariableType]

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Django's, and remembers the values."""
        super().refresh_from_db(*args, **kwargs)  # type: ignore[misc]  # Model's
        _remember_loaded(self, kwargs.get("fields") or (args[1] if len(args) > 1 else None))

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Django's, and remembers the values."""
        super().save_base(*args, **kwargs)  # type: ignore[misc]  # Model's
        _remember_loaded(self, kwargs.get("update_fields"))


def saved(instance: Model, update_fields: Collection[str] | None) -> None:
    """Note that the instance has been saved, where it remembers its fields."""
    if isinstance(instance, FieldChangesMixin):
        _remember_loaded(instance, update_fields)


def _remember_loaded(instance: Any, names: Collection[str] | None = None) -> None:
    loaded = dict(getattr(instance._state, _LOADED, {}))
    for field in instance._meta.concrete_fields:
        if field.attname in instance.__dict__ and _is_saved(field, names):
            value = instance.__dict__[field.attname]
            if hasattr(value, "resolve_expression"):  # unknown until it is loaded again
                loaded.pop(field.attname, None)
            else:
                loaded[field.attname] = _kept(value.name if isinstance(value, FieldFile) else value)
    setattr(instance._state, _LOADED, loaded)
