"""What projects do to a signal's insides, on Django's own dispatcher and on ours.

Each scenario is the smallest thing of the kind that a published project does; its outcome on the
installed Django's untouched dispatcher is what ours has to give.
"""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

from tests.parity.compare import differs, parity
from tests.parity.dispatchers import ADOPTED, DJANGO, EVERY, Dispatcher

if TYPE_CHECKING:
    from collections.abc import Callable


class Sender:
    """Sends."""


class Other:
    """Sends too."""


def one(**kwargs: Any) -> str:
    return "one"


def two(**kwargs: Any) -> str:
    return "two"


def three(**kwargs: Any) -> str:
    return "three"


def enrolled(sender: Any, signal: Any, metadata: str, course: str, **kwargs: Any) -> list[Any]:
    return [sender, repr(signal), metadata, course, sorted(kwargs)]


def fails(**kwargs: Any) -> None:
    raise LookupError("full")


def outcome(attempt: Callable[[], Any]) -> Any:
    """Return what ``attempt`` returns or raises."""
    try:
        return attempt()
    except (LookupError, TypeError) as error:
        return repr(error)


def responses(answered: list[tuple[Any, Any]]) -> list[Any]:
    return [response for _, response in answered]


@parity()
def test_receivers_are_put_aside_and_added_again_with_iadd(d: Dispatcher) -> Any:
    """django-cacheops connects its own receiver before all others."""
    signal = d.make()
    signal.connect(one, sender=Sender)
    signal.connect(two)
    seen = [responses(d.send(signal, Sender))]

    aside = signal.receivers
    signal.receivers = []
    signal.connect(three, sender=Sender)
    signal.receivers += aside

    seen += [responses(d.send(signal, Sender)), responses(d.send(signal, Other))]
    seen += [signal.disconnect(two), responses(d.send(signal, Sender))]
    return seen


@parity()
def test_receivers_are_emptied_and_put_back_by_a_test(d: Dispatcher) -> Any:
    """Many projects' tests mute a signal by hand, even one that has been sent already."""
    signal = d.make()
    signal.connect(one)
    signal.connect(two, sender=Sender)
    seen: list[Any] = [responses(d.send(signal, Sender))]

    kept, signal.receivers = signal.receivers, []
    seen += [d.send(signal, Sender), d.send_robust(signal, Sender), len(signal.receivers)]
    signal.receivers = kept
    seen += [responses(d.send(signal, Sender)), signal.has_listeners(Sender)]
    return seen


@differs(django=True, ours=False, subjects=[d for d in EVERY if d.caching])
def test_a_muted_signal_has_no_listeners_although_it_was_sent_before(d: Dispatcher) -> Any:
    """Django answers from its cache; asked by ours, a delete can take its fast path at once."""
    signal = d.make()
    signal.connect(one)
    d.send(signal, Sender)
    signal.receivers = []
    return signal.has_listeners(Sender)


@parity()
def test_a_receiver_is_removed_from_the_list_in_place(d: Dispatcher) -> Any:
    signal = d.make()
    for receiver in (one, two, three):
        signal.connect(receiver, sender=Sender)
    seen = [responses(d.send(signal, Sender))]

    signal.receivers[:] = [entry for entry in signal.receivers if entry[1]() is not two]
    d.refresh(signal)
    seen.append(responses(d.send(signal, Sender)))

    signal.receivers.reverse()
    d.refresh(signal)
    seen.append(responses(d.send(signal, Sender)))

    del signal.receivers[0]
    d.refresh(signal)
    seen.append(responses(d.send(signal, Sender)))
    return seen


@parity()
def test_receivers_are_recognized_by_their_entries(d: Dispatcher) -> Any:
    """Tests of many projects ask whether a receiver is connected, and with which uid."""
    signal = d.make()
    signal.connect(one, sender=Sender, dispatch_uid="first")
    signal.connect(two)
    signal.connect(three, weak=False)

    return [
        [entry[1]() for entry in signal.receivers[:2]] == [one, two],
        signal.receivers[2][1] is three,
        any(entry[0][0] == "first" for entry in signal.receivers),
        [entry[0] for entry in signal.receivers]
        == [
            ("first", id(Sender)),
            (id(two), d.module.NONE_ID),
            (id(three), d.module.NONE_ID),
        ],
        [isinstance(entry[1], weakref.ReferenceType) for entry in signal.receivers],
        all(isinstance(entry, tuple) for entry in signal.receivers),
        isinstance(signal.receivers, list),
    ]


@parity(ADOPTED)
def test_model_signals_are_found_by_the_garbage_collector_and_unpacked(d: Dispatcher) -> Any:
    """django-extensions lists the receivers of every model signal that it finds."""
    model_signal = d.model_signals.ModelSignal(use_caching=d.caching)
    model_signal.connect(one, sender=Sender)
    model_signal.connect(two, weak=False)

    found = [thing for thing in gc.get_objects() if type(thing) is d.model_signals.ModelSignal]
    listed = []
    for signal in found:
        for entry in signal.receivers:
            # Unpacked into as many names as the running Django has.
            if DJANGO >= (6, 0):
                (_, sender_id), reference, sender, is_async = entry
                known = None if sender is None else sender()
            else:
                (_, sender_id), reference, is_async = entry
                known = Sender if sender_id == id(Sender) else None
            receiver = reference() if isinstance(reference, weakref.ReferenceType) else reference
            if signal is model_signal:
                listed.append((receiver.__name__, known, is_async))
    return [listed, d.model_signals.post_save in found, d.model_signals.m2m_changed in found]


@parity()
def test_a_subclass_sends_to_sorted_receivers_of_active_plugins(d: Dispatcher) -> Any:
    """pretix and its relatives: an own ``send`` on top of the cache and ``_live_receivers``."""

    class PluginSignal(d.Signal):  # type: ignore[misc, name-defined]
        active = frozenset({"one", "three"})

        def send(self, sender: Any, **named: Any) -> list[tuple[Any, Any]]:
            no_receivers = d.module.NO_RECEIVERS
            if not self.receivers or self.sender_receivers_cache.get(sender) is no_receivers:
                return []
            live = sorted(self._live_receivers(sender)[0], key=lambda found: found.__name__)
            return [
                (receiver, receiver(signal=self, sender=sender, **named))
                for receiver in live
                if receiver.__name__ in self.active
            ]

        def send_chained(self, sender: Any, *, value: int) -> int:
            for receiver in self._live_receivers(sender)[0]:
                value += len(receiver(signal=self, sender=sender))
            return value

    signal = PluginSignal(use_caching=d.caching)
    seen: list[Any] = [d.send(signal, Sender)]
    for receiver in (two, three, one):
        signal.connect(receiver)
    seen += [responses(d.send(signal, Sender)), signal.send_chained(Sender, value=0)]
    for receiver in (one, two, three):
        signal.disconnect(receiver)
    seen += [d.send(signal, Sender), signal.send_chained(Sender, value=0)]
    signal.connect(one, sender=Other)
    seen += [signal.has_listeners(Sender), d.send(signal, Sender), responses(d.send(signal, Other))]
    return seen


@parity()
def test_a_subclass_filters_live_receivers(d: Dispatcher) -> Any:
    """ephios: which receivers are live depends on the plugins that are enabled just now."""
    enabled = {"one", "two"}

    class FilteredSignal(d.Signal):  # type: ignore[misc, name-defined]
        def _live_receivers(self, sender: Any) -> Any:
            sync, later = super()._live_receivers(sender)
            # Iterables, not lists.
            return tuple(found for found in sync if found.__name__ in enabled), tuple(later)

    signal = FilteredSignal(use_caching=d.caching)
    for receiver in (one, two, three):
        signal.connect(receiver)

    seen = [responses(d.send(signal, Sender))]
    enabled.discard("one")
    seen += [responses(d.send(signal, Sender)), responses(d.send_robust(signal, Sender))]
    seen += [signal.has_listeners(Sender)]
    enabled.clear()
    seen += [d.send(signal, Sender), signal.has_listeners(Sender)]
    return seen


@parity()
def test_live_receivers_are_replaced_on_one_instance(d: Dispatcher) -> Any:
    """ephios again: the override comes late, when sends have already happened, and goes."""
    signal = d.make()
    untouched = d.make()
    for receiver in (one, two):
        signal.connect(receiver)
        untouched.connect(receiver)
    seen = [responses(d.send(signal, Sender))]

    original = signal._live_receivers

    def only_last(sender: Any) -> Any:
        sync, later = original(sender)
        return (found for found in sync[-1:]), later

    signal._live_receivers = only_last
    seen += [responses(d.send(signal, Sender)), responses(d.send_robust(signal, Sender))]
    seen += [responses(d.send(untouched, Sender))]

    signal._live_receivers = lambda sender: ([], [])
    seen += [d.send(signal, Sender), signal.has_listeners(Sender)]

    del signal._live_receivers
    seen += [responses(d.send(signal, Sender)), signal.has_listeners(Sender)]
    return seen


@parity()
def test_live_receivers_are_replaced_on_the_class_and_wrap_what_they_return(d: Dispatcher) -> Any:
    """metrics-python, like sentry-sdk: items of the returned list are assigned."""
    signal, denied = d.make(), d.make()
    denylist = [denied]
    original = d.Signal._live_receivers

    def timed(self: Any, sender: Any) -> Any:
        sync, later = original(self, sender)
        if self not in denylist:
            for index, receiver in enumerate(sync):
                sync[index] = wrap(receiver)
        return sync, later

    def wrap(receiver: Any) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return f"timed {receiver(*args, **kwargs)}"

        return wrapper

    for receiver in (one, two):
        signal.connect(receiver)
        denied.connect(receiver)
    seen = [responses(d.send(signal, Sender))]
    d.Signal._live_receivers = timed
    try:
        seen += [responses(d.send(signal, Sender)), responses(d.send(denied, Sender))]
        seen += [responses(d.send_robust(signal, Sender)), signal.has_listeners(Sender)]
        seen += [[found.__name__ for found, _ in d.send(signal, Sender)]]
        signal.disconnect(one)
        seen += [responses(d.send(signal, Sender))]
    finally:
        d.Signal._live_receivers = original
    seen += [responses(d.send(signal, Sender))]
    return seen


@parity()
def test_a_subclass_sends_for_no_sender_with_data_of_its_own(d: Dispatcher) -> Any:
    """openedx-events: one way to send, and it adds what every event has."""

    class EventSignal(d.Signal):  # type: ignore[misc, name-defined]
        def __init__(self, event_type: str, data: dict[str, type]) -> None:
            super().__init__()
            self.event_type = event_type
            self.init_data = data
            self.allow_failures = False

        def __repr__(self) -> str:
            return f"<EventSignal: {self.event_type}>"

        def send_event(self, **data: Any) -> list[tuple[Any, Any]]:
            if wrong := set(self.init_data) ^ set(data):
                raise LookupError(sorted(wrong))
            how = super().send_robust if self.allow_failures else super().send
            return how(sender=None, metadata=self.event_type, **data)

        def send(self, sender: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
            raise TypeError("use send_event")

        def send_robust(self, sender: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
            raise TypeError("use send_event")

    signal = EventSignal("course.enrolled", {"course": str})
    signal.connect(enrolled)
    signal.connect(fails, sender=Sender)
    seen: list[Any] = [responses(signal.send_event(course=f"c{n}")) for n in range(40)]
    signal.connect(fails)
    signal.allow_failures = True
    seen.append([repr(answer) for answer in responses(signal.send_event(course="c"))])
    signal.allow_failures = False
    seen += [
        outcome(lambda: signal.send_event(course="c")),
        outcome(lambda: signal.send_event(corse="c")),
        outcome(lambda: signal.send(None, course="c")),
        outcome(lambda: signal.send_robust(None, course="c")),
    ]
    return seen


@parity()
def test_signals_are_keys_and_members(d: Dispatcher) -> Any:
    """Denylists and registries hold signals; two signals without receivers aren't equal."""
    first, second = d.make(), d.make()
    names = {first: "first", second: "second"}
    return [names[first], names[second], first == second, first in [second], len({first, second})]


@parity()
def test_the_lock_is_taken_to_clean_up(d: Dispatcher) -> Any:
    """A project's tests free what they have connected, and look whether it went."""
    signal = d.make()

    def short_lived(**kwargs: Any) -> str:
        return "short"

    signal.connect(short_lived)
    signal.connect(one)
    seen: list[Any] = [responses(d.send(signal, Sender))]
    del short_lived
    gc.collect()
    with signal.lock:
        signal._clear_dead_receivers()
        signal.sender_receivers_cache.clear()
    seen += [len(signal.receivers), signal._dead_receivers, responses(d.send(signal, Sender))]
    return seen
