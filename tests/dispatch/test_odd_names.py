"""Payload names that can't be written as keywords, or that someone has chosen to do harm."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

from signalpost import Signal
from signalpost.dispatch import codegen, plan
from tests.dispatch.heat import HOT, heat, plan_of, responses

ODD = {
    "a dash": {"a-b": 1},
    "a keyword": {"class": 1, "lambda": 2},
    "a constant": {"None": 1, "True": 2, "__debug__": 3},
    "empty": {"": 1},
    "a space": {"a b": 1},
    "code": {"a=1)\nraise SystemExit\n(": 1},
    "a quote": {"'": 1, '"': 2, "\\": 3},
    "a surrogate": {"\ud800": 1},
    "a null": {"\0": 1},
    "mixed with plain ones": {"a": 1, "a-b": 2, "b": 3},
    "ligature": {"\ufb01le": 1},
    "ligature and what it is read as": {"\ufb01le": 1, "file": 2},
    "micro sign": {"\u00b5": 1},
    "other alphabets": {"имя": 1, "名前": 2, "ñ": 3},
    "soft keywords": {"match": 1, "case": 2, "type": 3, "_": 4},
    "builtins": {"len": 1, "type": 2, "map": 3, "zip": 4},
    "names of generated code": {
        name: n
        for n, name in enumerate(
            "run make targets defaults other stale named v0 v1 k0 k1 r0 t0 f0 o0 s0 h0 f o r t "
            "call MethodType".split()
        )
    },
    "dunders": {"__class__": 1, "__dict__": 2, "__name": 3},
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("receivers", [1, 20])
def test_odd_names_arrive_as_they_were_sent(kind: str, receivers: int, sends_before: int) -> None:
    payload = ODD[kind]

    def make() -> Any:
        return lambda signal, sender, **named: list(named.items())

    signal = Signal()
    kept = [make() for _ in range(receivers)]
    for receiver in kept:
        signal.connect(receiver)
    heat(signal, sends_before, **payload)

    assert responses(signal.send(None, **payload)) == [list(payload.items())] * receivers


@pytest.mark.parametrize("receivers", [1, 20])
def test_signal_among_the_names_is_a_type_error(receivers: int, sends_before: int) -> None:
    signal = Signal()
    kept = [lambda **named: None for _ in range(receivers)]
    for receiver in kept:
        signal.connect(receiver)
    heat(signal, sends_before, a=1)

    for _ in range(HOT):
        with pytest.raises(TypeError, match="multiple values for keyword argument 'signal'"):
            signal.send(None, a=1, **{"signal": 2})


@pytest.mark.parametrize("name", ["self", "sender"])
def test_names_of_sends_own_parameters_are_a_type_error(name: str, sends_before: int) -> None:
    signal = Signal()
    heat(signal, sends_before, a=1)

    with pytest.raises(TypeError, match=f"multiple values for argument '{name}'"):
        signal.send(None, **{name: 1})


def test_name_that_is_no_string_is_a_type_error(sends_before: int) -> None:
    signal = Signal()
    heat(signal, sends_before, a=1)

    with pytest.raises(TypeError, match="keywords must be strings"):
        signal.send(None, **{1: 2})  # type: ignore[misc]


def kept_sources() -> list[str]:
    return [name for name in linecache.cache if name.startswith("<signalpost send ")]


def test_ever_new_names_do_not_fill_the_memory() -> None:
    # Names may come from users' data: `signal.send(sender, **form.cleaned_data)`.
    def receiver(signal: Signal, sender: Any, **named: Any) -> int:
        return len(named)

    signal = Signal()
    signal.connect(receiver)
    for n in range(codegen.FACTORIES_KEPT + 100):
        for _ in range(plan.SENDS_BEFORE_CODE + 2):
            assert signal.send(None, **{f"name_{n}": n, f"other_{n}": n}) == [(receiver, 2)]

    kept = plan_of(signal)
    assert 0 < len(kept.codes) <= plan.CODES_KEPT
    assert len(kept.counts) <= plan.NAMES_COUNTED


def test_ever_new_shapes_do_not_fill_the_memory() -> None:
    def receiver(signal: Signal, sender: Any, **named: Any) -> int:
        return len(named)

    for n in range(codegen.FACTORIES_KEPT + 20):
        signal = Signal()
        signal.connect(receiver)
        heat(signal, plan.SENDS_BEFORE_CODE + 2, **{f"shape_{n}": n})
        assert signal.send(None, **{f"shape_{n}": n}) == [(receiver, 1)]

    assert len(codegen._factories) <= codegen.FACTORIES_KEPT
    assert len(kept_sources()) <= codegen.FACTORIES_KEPT


def test_payload_of_thousands_of_names_is_not_compiled() -> None:
    # It takes seconds to compile, inside somebody's send.
    def receiver(signal: Signal, sender: Any, **named: Any) -> int:
        return len(named)

    signal = Signal()
    signal.connect(receiver)
    payload = {f"name_{n}": n for n in range(3000)}
    heat(signal, HOT, **payload)

    assert plan_of(signal).codes == {}
    assert responses(signal.send(None, **payload)) == [3000]
