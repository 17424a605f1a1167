"""``fields=``: a receiver of `pre_save` or `post_save` that is called when a field has changed.

The values before come from the database, by one query before a save of a model that somebody
listens for, or from the instance where its model has the `FieldChangesMixin`.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.db.models.signals import post_save, pre_save

from signalpost.dispatch.rules import Rules
from signalpost.django.before import Before, Values, remember, saved
from signalpost.django.changes import Changes

if TYPE_CHECKING:
    from signalpost.dispatch.options import Connecting
    from signalpost.dispatch.rules import Call

ALL = "__all__"


class FieldsRule:
    """The fields that one receiver listens for."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def prepare(self, call: Call) -> None:
        """Work out what changed, before a receiver can change it once more."""
        instance: Model = call.named["instance"]
        names = self.fields_of(type(instance))
        if cast("object", call.signal) is pre_save and "before" not in call.shared:
            call.shared["before"] = True
            remember(call.sender, watched(call.sender), **call.named)
            Before.of(instance).fresh = True
        elif "loaded" not in call.shared:
            # Before a receiver saves it once more.
            call.shared["loaded"] = True
            saved(instance, call.named.get("update_fields"))
        before = Before.of(instance)
        created = bool(call.named.get("created", False))
        changed = before.compare(
            instance, names, update_fields=call.named.get("update_fields"), created=created
        )
        call.added["changes"] = Changes(changed)

    def applies(self, call: Call) -> bool:
        """Whether one of the fields has changed."""
        return bool(call.added["changes"])

    def fields_of(self, model: type[Model]) -> Values:
        """The model's fields by the names that were asked for."""
        if self.names == (ALL,):
            return {field.name: field for field in model._meta.concrete_fields}
        return {name: find_field(model, name) for name in self.names}


# Who listens for which model, for as long as they are connected: no query for those that aren't.
_listeners: dict[type[Model], list[tuple[weakref.ref[Rules], FieldsRule]]] = {}


def watched(sender: type[Model]) -> list[Field[Any, Any]]:
    """The fields of the sender that somebody listens for."""
    found: dict[str, Field[Any, Any]] = {}
    for model in sender.__mro__:
        for reference, rule in _listeners.get(cast("type[Model]", model), ()):
            rules = reference()
            if rules is not None and (model is sender or rules.subclasses):
                for field in rule.fields_of(sender).values():
                    found[field.attname] = field
    return list(found.values())


def remember_values(sender: Any, **named: Any) -> None:
    """A receiver of `pre_save`: notes the values that the fields have in the database."""
    if Before.of(named["instance"]).take_fresh():
        return  # a receiver of `pre_save` that asks for fields has had them noted in this send
    fields = watched(sender)
    if fields:
        remember(sender, fields, **named)


def fields_option(connecting: Connecting, value: Any) -> None:
    """The option `fields` of `connect`."""
    signal = cast("object", connecting.signal)
    if signal is not post_save and signal is not pre_save:
        raise connecting.refusal("fields= is for pre_save and post_save, where fields change.")
    names = _names(connecting, value)
    sender = connecting.sender
    if isinstance(sender, str):
        return  # it comes back here with the model, once that is loaded
    if not isinstance(sender, type) or not issubclass(sender, Model):
        raise connecting.refusal(
            "fields= needs the model whose fields they are. Write sender=Order, say."
        )
    rule = FieldsRule(names)
    _check(connecting, sender, rule)
    rules = connecting.rules
    rules.preparations.append(rule.prepare)
    rules.conditions.append(rule.applies)
    connecting.accepted.append(lambda: _listen(signal, sender, rules, rule))


def _listen(signal: object, sender: type[Model], rules: Rules, rule: FieldsRule) -> None:
    """Have the values before a save noted for the rule."""
    alive = [listener for listener in _listeners.get(sender, ()) if listener[0]() is not None]
    _listeners[sender] = [*alive, (weakref.ref(rules), rule)]
    if signal is post_save:
        uid = "signalpost.django.fields"
        options: Any = {}
        if rules.subclasses:
            options = {"subclasses": True}
            pre_save.disconnect(sender=sender, dispatch_uid=uid)
        pre_save.connect(remember_values, sender, weak=False, dispatch_uid=uid, **options)


def find_field(model: type[Model], name: str) -> Field[Any, Any]:
    """The field of this name, "pk" or column-like name ("customer_id").

    Raises FieldDoesNotExist for names of nothing and of what isn't a column.
    """
    if name == "pk":
        pk: Field[Any, Any] = model._meta.pk
        return pk
    for field in model._meta.concrete_fields:
        if name in (field.name, field.attname):
            return field
    raise FieldDoesNotExist(name)


def _names(connecting: Connecting, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    names: tuple[Any, ...] = tuple(cast("Iterable[Any]", value)) if _is_iterable(value) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise connecting.refusal(
            f"fields={value!r} is no list of fields' names. Write fields=['status'], say."
        )
    return names


def _is_iterable(value: object) -> bool:
    return isinstance(value, Iterable)


def _check(connecting: Connecting, model: type[Model], rule: FieldsRule) -> None:
    try:
        rule.fields_of(model)
    except FieldDoesNotExist as error:
        name = str(error)
    else:
        return
    label = model._meta.label
    if name in {field.name for field in model._meta.many_to_many}:
        raise connecting.refusal(
            f"fields= names '{name}' of {label}, a many-to-many relation, which `save` doesn't "
            f"change. Connect to m2m_changed, with sender={label}.{name}.through."
        )
    from difflib import get_close_matches

    known = [field.name for field in model._meta.concrete_fields]
    near = get_close_matches(name, known, n=1)
    cure = f"Did you mean '{near[0]}'?" if near else f"Its fields are {', '.join(known)}."
    raise connecting.refusal(f"fields= names '{name}', which {label} has no column for. {cure}")
