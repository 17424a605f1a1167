"""The class and its instances, as other code finds them."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref
from typing import Any

import django.db.models.signals
import django.dispatch
import pytest

import signalpost.django
from tests.parity.compare import differs, parity
from tests.parity.dispatchers import ADOPTED, PLAIN, Dispatcher, pristine, pristine_model_signals
from tests.parity.observe import ANYONE, Calls, ignore, raised, raised_builtin


def test_django_dispatch_is_adopted_here() -> None:
    assert signalpost.django.adopt() is False
    assert django.dispatch.Signal.send is not pristine.Signal.send
    assert django.dispatch.Signal.send.__module__.startswith("signalpost.")


def test_the_pristine_copy_is_not_adopted() -> None:
    assert pristine.Signal.send.__module__ == "pristine_dispatcher"


def test_adoption_keeps_the_class_object() -> None:
    assert django.dispatch.Signal is django.dispatch.dispatcher.Signal
    assert django.dispatch.Signal.__module__ == "django.dispatch.dispatcher"
    assert issubclass(django.db.models.signals.ModelSignal, django.dispatch.Signal)
    assert isinstance(django.db.models.signals.post_save, django.dispatch.Signal)


def test_dispatcher_module_keeps_its_names() -> None:
    public = {name for name in vars(pristine) if not name.startswith("__")}
    assert public <= set(vars(django.dispatch.dispatcher))


def test_built_in_signals_keep_class_and_caching() -> None:
    def described(module: Any) -> dict[str, Any]:
        return {
            name: (type(value).__name__, value.use_caching)
            for name, value in vars(module).items()
            if hasattr(value, "use_caching")
        }

    assert len(described(pristine_model_signals)) >= 10
    assert described(django.db.models.signals) == described(pristine_model_signals)


@parity()
def test_constructor_takes_use_caching_by_keyword_and_alone(d: Dispatcher) -> Any:
    return [
        (signal.use_caching, type(signal.sender_receivers_cache).__name__)
        for signal in (d.Signal(), d.Signal(True), d.Signal(False), d.Signal(use_caching=True))
    ]


@parity()
def test_attributes_of_a_new_signal(d: Dispatcher) -> Any:
    signal = d.make()
    return (
        isinstance(signal.receivers, list),
        signal.receivers,
        signal.use_caching,
        dict(signal.sender_receivers_cache),
        signal._dead_receivers,
    )


@parity()
def test_attributes_are_reassignable(d: Dispatcher) -> Any:
    signal = d.make()
    signal.has_listeners(ANYONE)  # a signal that was made before the adoption is taken over
    values: dict[str, Any] = {
        "lock": copy.copy,
        "use_caching": False,
        "sender_receivers_cache": {},
        "_dead_receivers": True,
        "anything_else": 1,
    }
    for name, value in values.items():
        setattr(signal, name, value)
    return [getattr(signal, name) is value for name, value in values.items()]


@parity()
def test_lock_is_a_context_manager(d: Dispatcher) -> Any:
    signal = d.make()
    with signal.lock:
        inside = list(signal.receivers)
    return inside, signal.lock.acquire(blocking=False), signal.lock.release()


@parity()
def test_identity_decides_hash_and_equality(d: Dispatcher) -> Any:
    one, other = d.make(), d.make()
    return {
        "equal": (one == one, one == other, one != other),
        "in a set": (one in {one}, other in {one}, len({one, other, one})),
        "as a key": {one: 1, other: 2}[other],
        "true": bool(one),
    }


@parity()
def test_signal_can_be_weakly_referenced(d: Dispatcher) -> Any:
    signal = d.make()
    reference = weakref.ref(signal)
    alive = reference() is signal
    del signal
    gc.collect()
    return alive, reference()


@parity()
def test_class_is_pickled_by_name(d: Dispatcher) -> Any:
    return pickle.loads(pickle.dumps(d.Signal)) is d.Signal


@parity()
def test_bound_method_of_a_signal_is_a_usable_receiver(d: Dispatcher) -> Any:
    calls = Calls()
    first, second = d.make(), d.make()
    receiver = calls.receiver("relayed")
    second.connect(receiver)

    class Relay:
        def relay(self, signal: Any, **named: Any) -> Any:
            return len(second.send(**named))

    relay = Relay()
    first.connect(relay.relay)
    return [answer for _, answer in d.send(first, ANYONE, a=1)], calls


@parity()
def test_signal_cannot_be_pickled_or_copied_deeply(d: Dispatcher) -> Any:
    signal = d.make()
    return [
        raised_builtin(lambda: pickle.dumps(signal)),
        raised_builtin(lambda: copy.deepcopy(signal)),
    ]


@differs(
    django=(True, ["first", "second"] * 2, ["second", "second"], ["second", "third"]),
    ours=(False, ["first", "first", "second"], ["first", "second"], ["third"]),
    subjects=PLAIN,  # caching ones of Django share the cache too, and so one's receivers stay on
)
def test_shallow_copy_has_a_list_of_its_own_where_djangos_share_one(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    first, second, third = (calls.receiver(name) for name in ("first", "second", "third"))
    signal.connect(first)
    signal.send(ANYONE)
    calls.clear()
    twin = copy.copy(signal)
    shared = twin.receivers is signal.receivers
    twin.connect(second)
    d.refresh(signal)
    signal.send(ANYONE)
    twin.send(ANYONE)
    after_connect = calls.names()
    signal.disconnect(first)
    d.refresh(twin)
    signal.send(ANYONE)
    twin.send(ANYONE)
    after_disconnect = calls.names()
    twin.receivers = []
    twin.connect(third)
    signal.send(ANYONE)
    twin.send(ANYONE)
    return shared, after_connect, after_disconnect, calls.names()


@parity()
def test_copy_sends_itself(d: Dispatcher) -> Any:
    signal = d.make()
    got: list[Any] = []

    def receive(signal: Any, **named: Any) -> None:
        got.append(signal)

    signal.connect(receive)
    twin = copy.copy(signal)
    d.send(twin, ANYONE)
    from_twin = all(each is twin for each in got)
    got.clear()
    d.send(signal, ANYONE)
    return from_twin, all(each is signal for each in got)


@pytest.mark.parametrize(
    "method",
    [
        "connect",
        "disconnect",
        "has_listeners",
        "send",
        "asend",
        "send_robust",
        "asend_robust",
        "_live_receivers",
        "_log_robust_failure",
        "_clear_dead_receivers",
        "_flag_dead_receivers"
        if hasattr(pristine.Signal, "_flag_dead_receivers")
        else "_remove_receiver",
    ],
)
@pytest.mark.parametrize("subject", ADOPTED, ids=str)
def test_methods_take_what_djangos_take(subject: Dispatcher, method: str) -> None:
    theirs = inspect.signature(getattr(pristine.Signal, method)).parameters.values()
    ours = list(inspect.signature(getattr(subject.Signal, method)).parameters.values())
    shape = [(p.name, p.kind, p.default) for p in theirs if p.kind is not p.VAR_KEYWORD]
    assert [(p.name, p.kind, p.default) for p in ours][: len(shape)] == shape
    for more in ours[len(shape) :]:
        assert more.kind is more.VAR_KEYWORD or more.default is not more.empty


@parity()
def test_send_without_a_sender_is_a_type_error(d: Dispatcher) -> Any:
    signal = d.make()
    signal.connect(ignore)
    return [
        raised_builtin(signal.send),
        raised_builtin(lambda: signal.send(ANYONE, "t")),
        raised_builtin(lambda: signal.send(ANYONE, sender="t")),
        raised_builtin(lambda: signal.send(ANYONE, self="t")),
        raised_builtin(signal.send_robust),
    ]


@parity()
def test_connect_and_disconnect_take_four_and_three_positional_arguments(d: Dispatcher) -> Any:
    calls = Calls()
    signal = d.make()
    sender = Calls
    result = signal.connect(calls.receiver("kept strongly"), sender, False, "uid")
    d.send(signal, sender)
    return result, calls.names(), signal.disconnect(None, sender, "uid"), signal.receivers


@parity(ADOPTED)
def test_unknown_keyword_of_connect_is_a_type_error(d: Dispatcher) -> Any:
    signal = d.make()
    return raised(lambda: signal.connect(ignore, bogus=1)) is not None, signal.receivers
