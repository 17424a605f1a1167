"""What of Django is stored in a payload, and how: instances by reference, deleted ones whole."""

from __future__ import annotations

from typing import Any, cast

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.files.base import File
from django.db import DataError, connections, router
from django.db.models import Manager, Model, QuerySet
from django.db.models.base import ModelBase
from django.http import HttpRequest
from django.utils.functional import LazyObject, Promise, empty

from signalpost.delivery import codec
from signalpost.delivery.codec import Missing, Reading, Unsupported, Writing
from signalpost.delivery.values import shown
from signalpost.django.changes import Change, Changes
from signalpost.exceptions import PayloadUnreadable


def install() -> None:
    """Teach the codec. Any number of times."""
    codec.register("instance", Model, _encode_instance, _decode_instance, subclasses=True)
    codec.register("model", ModelBase, _encode_model, _decode_model, subclasses=True)
    codec.register("changes", Changes, _encode_changes, _decode_changes)
    codec.register(None, Promise, _encode_promise, None, subclasses=True)
    codec.register(None, LazyObject, _encode_lazy, None, subclasses=True)
    codec.refuse(
        QuerySet,
        "a queryset is a question, whose answer may be another one by then. Pass the primary keys, or "
        "a list of the instances.",
    )
    codec.refuse(Manager, "a manager isn't stored. Pass the model.")
    codec.refuse(
        HttpRequest, "a request ends before its deliveries run. Pass what is needed of it."
    )
    codec.refuse(File, "a file isn't stored. Pass its name, or the instance that it is a field of.")
    if apps.is_installed("django.contrib.auth"):
        from django.contrib.auth.models import AnonymousUser

        # What `request.user` is without a login: an actor as any other.
        codec.register("anonymous", AnonymousUser, lambda v, w: None, lambda v, r: AnonymousUser())


def _encode_promise(value: Promise, writing: Writing) -> Any:
    return codec.encode_value(str(value), writing)


def _encode_lazy(value: LazyObject[Any], writing: Writing) -> Any:
    """What the object stands for: `request.user` is one."""
    if value._wrapped is empty:
        value._setup()
    return codec.encode_value(value._wrapped, writing)


def _encode_instance(value: Model, writing: Writing) -> dict[str, Any]:
    meta = value._meta
    if not _is_registered(type(value)):
        raise Unsupported(f"{meta.label} isn't a model of an installed app.")
    using = _home(value, writing)
    if writing.snapshots:
        return {"model": meta.label, "using": using, "fields": _fields(value, writing)}
    if value._state.adding or not _has_key(value.pk):
        raise Unsupported(
            f"the {meta.label} isn't saved, so it can't be fetched again. Save it before it is sent, or "
            "pass its values."
        )
    return {"model": meta.label, "using": using, "pk": codec.encode_value(value.pk, writing)}


def _has_key(pk: Any) -> bool:
    return pk is not None and not (type(pk) is tuple and None in pk)  # several columns


def _home(value: Model, writing: Writing) -> str | None:
    """The database to fetch the instance from: where it is written, not a replica that may lag."""
    alias = value._state.db
    if alias is not None and alias != writing.using:
        return router.db_for_write(type(value), instance=value)
    return alias


def _fields(value: Model, writing: Writing) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for field in value._meta.concrete_fields:
        if field.attname not in value.__dict__:  # deferred
            continue
        try:
            encoded[field.attname] = codec.encode_value(
                _plain(value.__dict__[field.attname]), writing
            )
        except Unsupported as error:
            error.path = f".{field.attname}{error.path}"
            raise
    return encoded


def _plain(value: Any) -> Any:
    """What a column has, of what an attribute holds."""
    if isinstance(value, memoryview):  # PostgreSQL's bytes
        return bytes(cast("memoryview[int]", value))
    return value.name if isinstance(value, File) else value


def _decode_instance(data: Any, reading: Reading) -> Model:
    model = _model(data["model"])
    using = _alias(data["using"] or reading.using)
    if "fields" in data:
        fields = {
            name: codec.decode_value(value, reading) for name, value in data["fields"].items()
        }
        names = [f.attname for f in model._meta.concrete_fields if f.attname in fields]
        return model.from_db(using, names, [fields[name] for name in names])
    pk = codec.decode_value(data["pk"], reading)
    key = (using, model, pk)
    if key not in reading.found:
        reading.found[key] = _fetch(model, pk, using)
    found: Model = reading.found[key]
    return found


def _alias(using: Any) -> str | None:
    if using is not None and using not in list(connections):
        raise PayloadUnreadable(f"DATABASES has no {shown(using)}")
    return cast("str | None", using)


def _fetch(model: type[Model], pk: Any, using: str | None) -> Model:
    try:
        return model._base_manager.using(using).get(pk=model._meta.pk.to_python(pk))
    except ObjectDoesNotExist:
        raise Missing(f"{model._meta.label} {_short(pk)} is gone") from None
    except (DataError, ValidationError):
        raise PayloadUnreadable(
            f"what is stored is no primary key of {model._meta.label}"
        ) from None


def _short(pk: Any) -> str:
    text = repr(pk)
    return text if len(text) <= 100 else f"{text[:100]}..."  # noqa: PLR2004 - enough to know it by


def _encode_model(value: type[Model], writing: Writing) -> str:
    if not _is_registered(value):
        raise Unsupported(f"{value._meta.label} isn't a model of an installed app.")
    return value._meta.label


def _decode_model(data: Any, reading: Reading) -> type[Model]:
    return _model(data)


def _model(label: Any) -> type[Model]:
    try:
        # Models that were made for many-to-many relations too.
        app, _, name = str(label).partition(".")
        return apps.get_app_config(app).get_model(name)
    except (LookupError, ValueError):
        raise PayloadUnreadable(f"there is no model {shown(label)}") from None


def _is_registered(model: type[Model]) -> bool:
    try:
        return (
            apps.get_app_config(model._meta.app_label).get_model(model._meta.model_name or "")
            is model
        )
    except LookupError:
        return False


def _encode_changes(value: Changes, writing: Writing) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for name, change in value.items():
        try:
            both = [codec.encode_value(_plain(each), writing) for each in (change.old, change.new)]
        except Unsupported as error:
            error.path = f"['{name}']{error.path}"
            raise
        encoded[name] = both
    return encoded


def _decode_changes(data: Any, reading: Reading) -> Changes:
    return Changes(
        {
            name: Change(codec.decode_value(old, reading), codec.decode_value(new, reading))
            for name, (old, new) in data.items()
        }
    )
