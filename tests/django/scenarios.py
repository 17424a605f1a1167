"""What becomes of signals, and of their connections, that are there when adoption comes.

Each scenario yields where `django.dispatch` is to be adopted; see play.py.
"""

from __future__ import annotations

import gc
import sys
import threading
import types
from collections.abc import Generator
from typing import Any, TypeAlias

import django.dispatch
from django.conf import settings
from django.db.models.signals import ModelSignal, post_init
from django.dispatch import Signal

from signalpost.django import adopt

DJANGOS_SEND = Signal.send


Scenario: TypeAlias = Generator[None, None, Any]


class Sender: ...


class Host:
    def __init__(self, label: str) -> None:
        self.label = label

    def method(self, **named: Any) -> str:
        return self.label

    @classmethod
    def of_class(cls, **named: Any) -> str:
        return cls.__name__


class SpecialSignal(Signal):
    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label


def function(**named: Any) -> str:
    return "function"


def another(**named: Any) -> str:
    return "another"


def answers(signal: Any, sender: Any = None) -> list[str]:
    return [response for _, response in signal.send(sender, a=1)]


def adopt_again() -> Scenario:
    signal_class, model_signal_class = Signal, ModelSignal
    before = Signal.send is DJANGOS_SEND
    yield
    return {
        "before": before,
        "again": [adopt(), adopt()],
        "same class": django.dispatch.Signal is signal_class,
        "same subclass": type(post_init) is model_signal_class,
        "ours": Signal.send is not DJANGOS_SEND,
        "configured": settings.configured,
    }


def connections_made_before() -> Scenario:
    made = []
    for caching in (False, True):
        signal = Signal(use_caching=caching)
        host = Host("method")
        signal.connect(function)
        signal.connect(lambda **named: "strong", weak=False)
        signal.connect(host.method)
        signal.connect(Host.of_class)
        signal.connect(another, sender=Sender)
        signal.connect(function, dispatch_uid="uid")
        made.append((signal, host, answers(signal, Sender), len(signal.receivers)))
    yield
    observed = []
    for signal, host, before, rows in made:
        after = [answers(signal, Sender), answers(signal)]
        hot = [[answers(signal, Sender), answers(signal)] for _ in range(10)][-1]
        signal.connect(function)  # is connected already
        late = Host("late")
        signal.connect(late.method)
        gone = [
            signal.disconnect(function),
            signal.disconnect(function),
            signal.disconnect(dispatch_uid="uid"),
            signal.disconnect(host.method),
            signal.disconnect(another, sender=Sender),
        ]
        observed.append(
            {
                "before": before,
                "after": after,
                "hot as after": hot == after,
                "rows": rows,
                "disconnected": gone,
                "in the end": answers(signal, Sender),
            }
        )
    return observed


def receivers_that_die() -> Scenario:
    dead_before, dead_after, dead_untouched = Signal(), Signal(), Signal()
    hosts = [Host(label) for label in "abc"]
    for signal, host in zip((dead_before, dead_after, dead_untouched), hosts, strict=True):
        signal.connect(host.method)
        signal.connect(function)
    hosts[0] = hosts[0].label  # type: ignore[call-overload]
    yield
    answers(dead_after)
    hosts.clear()
    del host
    gc.collect()
    return {
        "before": [answers(dead_before), len(dead_before.receivers)],
        "after": [answers(dead_after), len(dead_after.receivers)],
        "untouched": [dead_untouched.has_listeners(), len(dead_untouched.receivers)],
    }


def senders_that_die() -> Scenario:
    signals = []
    for caching in (False, True):
        signal = Signal(use_caching=caching)
        sender = Sender()
        signal.connect(function, sender=sender)
        answers(signal, sender)
        signals.append((signal, sender))
    yield
    alive = [answers(signal, sender) for signal, sender in signals]
    emptied = [signal for signal, _ in signals]
    signals.clear()
    del sender
    gc.collect()
    # One of these has the address of a dead one.
    reborn = [Sender() for _ in range(1_000)]
    dead = [answers(signal, sender) for signal in emptied for sender in reborn]
    return {"alive": alive, "dead": [each for each in dead if each]}


def instances_of_subclasses() -> Scenario:
    special = SpecialSignal("before")
    special.connect(function)
    yield
    later = SpecialSignal("after")
    later.connect(function, priority=1)
    return {
        "before": [special.label, answers(special), isinstance(special, Signal)],
        "after": [later.label, answers(later), later.providing_args],
        "built in": [type(post_init).__name__, post_init.use_caching],
    }


def names_after_adoption() -> Scenario:
    import django.core.signals
    import django.db.models.signals

    # Projects import Django's signals into modules that are called signals as well.
    for name in ("a.signals", "shop.signals", "aa"):
        decoy = types.ModuleType(name)
        for origin in (django.db.models.signals, django.core.signals):
            vars(decoy).update({k: v for k, v in vars(origin).items() if not k.startswith("_")})
        sys.modules[name] = decoy
    before = types.ModuleType("shop.events")
    sys.modules["shop.events"] = before
    exec("from django.dispatch import Signal\npaid = Signal()", vars(before))
    yield
    after = types.ModuleType("blog.signals")
    sys.modules["blog.signals"] = after
    exec(
        "from django.dispatch import Signal\n"
        "new_comment_added = Signal(providing_args=['comment'])\n"
        "held = [Signal()]\n",
        vars(after),
    )
    return [
        django.db.models.signals.post_save.name,
        django.db.models.signals.m2m_changed.name,
        django.core.signals.request_finished.name,
        django.core.signals.setting_changed.name,
        before.paid.name,
        after.new_comment_added.name,
        after.held[0].name,
        repr(django.db.models.signals.class_prepared),
    ]


def first_use_in_many_threads() -> Scenario:
    signals = [Signal() for _ in range(200)]
    for signal in signals:
        signal.connect(function)
    yield
    kept = [lambda n=n, **named: f"late {n}" for n in range(4)]
    barrier = threading.Barrier(4)
    seen: list[Any] = []

    def work(n: int) -> None:
        for signal in signals:
            barrier.wait()
            signal.connect(kept[n])
            seen.append("function" in answers(signal))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    expected = ["function", *(f"late {n}" for n in range(4))]
    return {
        "always": all(seen),
        "complete": [sorted(answers(signal)) for signal in signals] == [expected] * len(signals),
    }


class Late:
    """Uses its signals when the interpreter takes it down."""

    def __init__(self, *signals: Any) -> None:
        self.signals = signals
        self.itself = self

    def hear(self, **named: Any) -> str:
        return "heard"

    def __del__(self) -> None:
        for signal in self.signals:
            signal.disconnect(self.hear)
            signal.has_listeners()


def exit_with_connections() -> Scenario:
    """Nothing may be written to stderr, which the test looks at."""
    untouched, touched = Signal(), Signal(use_caching=True)
    module = types.ModuleType("kept")
    sys.modules["kept"] = module
    module.late = Late(untouched, touched)  # type: ignore[attr-defined]
    module.senders = [Sender() for _ in range(3)]  # type: ignore[attr-defined]
    module.itself = module  # type: ignore[attr-defined]
    for signal in (untouched, touched):
        signal.connect(module.late.hear)
        signal.connect(Host("dies").method)
        for sender in module.senders:
            signal.connect(function, sender=sender)
    yield
    module.signals = [untouched, touched]  # type: ignore[attr-defined]
    return [answers(touched) for _ in range(10)][-1]
