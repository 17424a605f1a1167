"""The observer: signals, the receivers connected to them, and the sends in between.

Who calls whom, from the public end down::

    decorators   @receiver, @signal
    attributes   what a signal is: its name, `receivers`, `providing_args`
    signal       Signal: connect, disconnect, send and its three siblings
    calls        the call loop, sync and async, with the failure policy as an argument
    takeover     gives a signal its registry, and takes over those that Django made
    registry     one signal's connections, and the plan of each sender
    plan         what one sender's sends call; codegen writes the code of a hot one
    rows         the `receivers` list that Django's users know, kept in step with the registry
    entries      one connection: its identity, its weak references
    failures     what send_robust logs
    payload      what a signal declares that it sends (providing_args, @signal)
    signatures   what a receiver accepts, and whether it is async
    names        what people call a signal or a receiver

Nothing here imports Django. asgiref, asyncio, inspect and logging are imported late, where they
are first needed, so that ``import signalpost`` stays under 5 ms.
"""

from __future__ import annotations

from signalpost.dispatch.decorators import receiver, signal
from signalpost.dispatch.outcomes import Outcome
from signalpost.dispatch.signal import Signal
from signalpost.dispatch.typed import TypedSignal

__all__ = ["Outcome", "Signal", "TypedSignal", "receiver", "signal"]
