"""What the tables compare with: Django's dispatcher as it is installed, whatever was adopted."""

from __future__ import annotations

from collections import Counter

import django.db.models.base
import django.dispatch
import pytest
from django.db.models.signals import ModelSignal, post_init

from benchmarks import untouched
from benchmarks.live_receivers_patch import patched
from benchmarks.tables import TABLES
from benchmarks.tables.models import _WithSignals


def test_rows_have_names_of_their_own():
    names = Counter(f"{table.title}: {row.name}" for table in TABLES for row in table.rows)

    assert [name for name, count in names.items() if count > 1] == []


def test_budgets_are_about_contenders_of_their_table():
    for table in TABLES:
        for row in table.rows:
            for budget in row.budgets:
                assert {budget.of, budget.against} - {None} <= set(table.columns), row.name


@pytest.mark.parametrize("method", ["send", "connect", "_live_receivers"])
def test_untouched_signal_is_djangos_code_in_a_class_of_its_own(method):
    own = vars(untouched.Signal)[method]

    assert own.__code__.co_filename == django.dispatch.dispatcher.__file__
    assert own is not vars(django.dispatch.Signal)[method]


def test_untouched_model_signal_stands_on_the_untouched_signal():
    assert untouched.ModelSignal.__mro__[1] is untouched.Signal
    assert not issubclass(untouched.ModelSignal, ModelSignal)
    assert ModelSignal.__mro__[1] is django.dispatch.Signal


def test_patched_classes_get_their_own_methods_back():
    class Patched(untouched.Signal):
        _live_receivers = untouched.Signal._live_receivers

    original = Patched._live_receivers
    calls = []

    def receiver(**kwargs):
        calls.append(kwargs)

    signal = Patched()
    signal.connect(receiver)
    with patched(Patched):
        ((wrapper, _),) = signal.send(sender=None)

    assert wrapper.__wrapped__ is receiver
    assert len(calls) == 1
    assert Patched._live_receivers is original


def test_models_send_through_the_contenders_signals_during_its_samples_only():
    signals = {"post_init": object()}
    seen = []

    class Sample:
        def warm_up(self, sample_ns):
            seen.append(django.db.models.base.post_init)

        def sample(self):
            seen.append(django.db.models.base.post_init)
            return 1.0

    contender = _WithSignals(signals, Sample())
    contender.warm_up(1)
    contender.sample()

    assert seen == [signals["post_init"]] * 2
    assert django.db.models.base.post_init is post_init
