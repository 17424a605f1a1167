"""How one send is written with each library, its receivers connected beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import blinker
import pluggy
import psygnal

from benchmarks import names, untouched
from benchmarks.contenders import Statement
from benchmarks.receivers import Comment, Receiver
from signalpost import Signal

_SEND = "signal.send(sender=sender, comment=comment)"
_HAND = "[(r, r(signal=signal, sender=sender, comment=comment)) for r in receivers]"
_COMMENT = object()


def by_hand(receivers: Sequence[Receiver]) -> Statement:
    """The least that Python can do: keyword calls and a list of pairs."""
    return Statement(
        _HAND, signal=object(), sender=Comment, comment=_COMMENT, receivers=list(receivers)
    )


def connected(signal: Any, receivers: Sequence[Receiver]) -> Statement:
    """A send of a signal with Django's interface, to receivers of any sender."""
    for receiver in receivers:
        signal.connect(receiver)
    return sending(signal, keep=receivers)


def sending(signal: Any, *, keep: object) -> Statement:
    """A send of `signal`; `keep` holds what is only weakly referenced."""
    return Statement(_SEND, signal=signal, sender=Comment, comment=_COMMENT, keep=keep)


def with_blinker(receivers: Sequence[Receiver]) -> Statement:
    signal = blinker.Signal()
    for receiver in receivers:
        signal.connect(receiver)
    return Statement(
        "signal.send(sender, comment=comment)",
        signal=signal,
        sender=Comment,
        comment=_COMMENT,
        keep=receivers,
    )


def with_psygnal(receivers: Sequence[Receiver]) -> Statement:
    signal = psygnal.SignalInstance((object, object))
    for receiver in receivers:
        signal.connect(receiver)
    return Statement(
        "signal.emit_fast(sender, comment)",
        signal=signal,
        sender=Comment,
        comment=_COMMENT,
        keep=receivers,
    )


def with_pluggy(receivers: Sequence[Receiver]) -> Statement:
    manager = plugin_manager()
    for receiver in receivers:
        manager.register(plugin(receiver))
    return Statement(
        "on_comment(sender=sender, comment=comment)",
        on_comment=manager.hook.on_comment,
        sender=Comment,
        comment=_COMMENT,
    )


def plugin_manager() -> pluggy.PluginManager:
    """A manager that knows one hook."""

    class Specification:
        @pluggy.HookspecMarker("benchmarks")
        def on_comment(self, sender: object, comment: object) -> None:
            pass

    manager = pluggy.PluginManager("benchmarks")
    manager.add_hookspecs(Specification)
    return manager


def plugin(receiver: Receiver) -> object:
    """A plugin whose one hook implementation is `receiver`."""

    class Plugin:
        pass

    plugin = Plugin()
    pluggy.HookimplMarker("benchmarks")(getattr(receiver, "__func__", receiver))
    plugin.on_comment = receiver  # type: ignore[attr-defined]  # an attribute of the instance stays unbound
    return plugin


def everyone(make_receivers: Callable[[], list[Receiver]]) -> dict[str, Statement]:
    """One send with each contender, each with receivers of its own."""
    return {
        names.HAND: by_hand(make_receivers()),
        names.OURS: connected(Signal(), make_receivers()),
        names.DJANGO: connected(untouched.Signal(), make_receivers()),
        names.CACHING: connected(untouched.Signal(use_caching=True), make_receivers()),
        names.BLINKER: with_blinker(make_receivers()),
        names.PSYGNAL: with_psygnal(make_receivers()),
        names.PLUGGY: with_pluggy(make_receivers()),
    }
