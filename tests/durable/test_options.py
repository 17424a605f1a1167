"""What the options of durable receivers may be, and what is said of the rest."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from django.db.models.signals import post_save, pre_delete, pre_save

from signalpost import Signal, signal
from signalpost.delivery import receivers
from signalpost.django.signals import pre_update
from signalpost.exceptions import DeadReceiverWarning, ReceiverError
from tests.store.models import Order

paid = Signal(name="tests.options.paid")
declared = Signal(providing_args=["order", "using"], name="tests.options.declared")


def note(sender: Any, **kwargs: Any) -> None: ...


def other(sender: Any, **kwargs: Any) -> None: ...


async def note_async(sender: Any, **kwargs: Any) -> None: ...


def refusal(sig: Any = paid, receiver: Any = note, **options: Any) -> str:
    """Why the connection is refused; nothing of it stays."""
    before = len(sig.receivers), len(receivers.known())
    with pytest.raises(ReceiverError) as caught:
        sig.connect(receiver, **options)
    assert (len(sig.receivers), len(receivers.known())) == before
    start, _, problem = str(caught.value).partition(": ")
    assert start.startswith("Cannot connect '")
    return problem


def is_known(receiver: Any) -> bool:
    return any(each.receiver is receiver for each in receivers.known())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"durable": 1},
            "durable=1 is neither True nor the key that its deliveries are stored under, such as "
            '"shop.send_receipt".',
        ),
        ({"durable": ""}, "durable='' is neither True nor the key"),
        ({"durable": "x" * 256}, "its key has 256 characters, and 255 are stored."),
        (
            {"durable": True, "on_error": "log"},
            "on_error= makes no sense with durable=: what the receiver raises reaches no sender, it is "
            "retried. Leave on_error out; see max_attempts= and backoff=.",
        ),
        (
            {"durable": True, "on_commit": True},
            "on_commit= and durable= exclude each other: a durable receiver runs after the commit "
            "anyway. Leave on_commit out.",
        ),
        (
            {"durable": True, "coalesce": "number"},
            "coalesce= makes one run of several in a transaction, so it needs on_commit=True.",
        ),
        (
            {"durable": True, "aliases": "shop.old"},
            "aliases='shop.old' is no list of keys that the receiver had before. Write "
            'aliases=["shop.receivers.old_name"].',
        ),
        ({"durable": True, "aliases": []}, "aliases=[] is no list of keys"),
        ({"durable": True, "aliases": ["a", 5]}, "aliases=['a', 5] is no list of keys"),
        ({"durable": True, "aliases": ["x" * 300]}, "its alias has 300 characters, and 255 are"),
        (
            {"durable": True, "max_attempts": 0},
            "max_attempts=0 is no number from 1 to 32,000.",
        ),
        ({"durable": True, "max_attempts": 40_000}, "max_attempts=40000 is no number from 1"),
        ({"durable": True, "max_attempts": True}, "max_attempts=True is no number"),
        ({"durable": True, "max_attempts": 2.5}, "max_attempts=2.5 is no number"),
        (
            {"durable": True, "backoff": "soon"},
            "backoff='soon' is neither seconds, nor a list of them, nor a function of the attempt. "
            "Write backoff=[10, 60, 600], say.",
        ),
        ({"durable": True, "backoff": -1}, "backoff=-1 is neither seconds"),
        ({"durable": True, "backoff": []}, "backoff=[] is neither seconds"),
        ({"durable": True, "backoff": [1, None]}, "backoff=[1, None] is neither seconds"),
        ({"durable": True, "backoff": float("nan")}, "backoff=nan is neither seconds"),
        ({"durable": True, "backoff": True}, "backoff=True is neither seconds"),
        (
            {"durable": True, "backoff": lambda: 5},
            "backoff= is called with the number of the attempt, which it doesn't take, or is async. "
            "Write backoff=lambda attempt: 60 * attempt, say.",
        ),
        ({"durable": True, "backoff": note_async}, "backoff= is called with the number of the"),
        ({"durable": True, "queue": ""}, "queue='' is no name of at most 100 characters."),
        ({"durable": True, "queue": 5}, "queue=5 is no name"),
        ({"durable": True, "queue": "a\x00"}, "queue='a\\x00' is no name"),
        (
            {"durable": True, "queue": "q" * 101},
            f"queue='{'q' * 101}' is no name of at most 100 characters.",
        ),
        (
            {"durable": True, "key": "order pk"},
            "key='order pk' is no path into the payload. Write key=\"instance.pk\", or pass a function.",
        ),
        ({"durable": True, "key": 5}, "key=5 can't be called. Pass a function of what is sent"),
        ({"durable": True, "key": note_async}, "key= is async, but it has to answer at once."),
        (
            {"durable": True, "on_failure": "skip"},
            "on_failure= is about those of the same key, so it needs key=. Add that, or leave it out.",
        ),
        (
            {"durable": True, "key": "order", "on_failure": "stop"},
            'on_failure=\'stop\' is neither "block" nor "skip".',
        ),
        ({"durable": True, "atomic": 1}, "atomic=1 is neither True nor False."),
        (
            {"durable": True, "timeout": 0},
            "timeout=0 is no number of seconds up to 31,622,400, a year. Write timeout=30, say.",
        ),
        ({"durable": True, "timeout": "30"}, "timeout='30' is no number of seconds"),
        ({"durable": True, "timeout": True}, "timeout=True is no number of seconds"),
        ({"durable": True, "delay": -5}, "delay=-5 is no number of seconds up to 31,622,400"),
        ({"durable": True, "delay": 1e300}, "delay=1e+300 is no number of seconds"),
        ({"durable": True, "delay": float("inf")}, "delay=inf is no number of seconds"),
        (
            {"durable": True, "on_missing": "raise"},
            'on_missing=\'raise\' is neither "skip" nor "fail".',
        ),
        ({"durable": True, "using": 5}, "using=5 is no alias of a database."),
    ],
)
def test_value_that_an_option_cannot_have_is_refused(options: Any, problem: str) -> None:
    assert refusal(**options).startswith(problem)


@pytest.mark.parametrize(
    "option",
    [
        {"aliases": ["a"]},
        {"max_attempts": 3},
        {"backoff": 5},
        {"queue": "mail"},
        {"key": "order"},
        {"on_failure": "skip"},
        {"atomic": True},
        {"timeout": 5},
        {"delay": 5},
        {"on_missing": "fail"},
        {"using": "default"},
    ],
)
def test_option_without_durable_is_refused(option: Any) -> None:
    [name] = option

    assert refusal(**option) == (
        f"{name}= is about durable deliveries. Add durable=True, or leave it out."
    )


def test_atomic_is_for_sync_receivers() -> None:
    assert refusal(receiver=note_async, durable=True, atomic=True) == (
        "atomic= needs a transaction, which Django has for sync code only. Use a `def`."
    )


@pytest.mark.parametrize(
    ("sig", "name", "twin"),
    [
        (pre_save, "pre_save", "post_save"),
        (pre_delete, "pre_delete", "post_delete"),
        (pre_update, "pre_update", "post_update"),
    ],
)
def test_signal_that_is_sent_before_the_change_is_refused(sig: Any, name: str, twin: str) -> None:
    assert refusal(sig, durable=True) == (
        f"durable= makes no sense on '{name}', which is sent before the change is made: the change "
        f"may never be. Connect to '{twin}' instead."
    )


def test_key_may_not_begin_with_what_the_signal_does_not_send() -> None:
    assert refusal(declared, durable=True, key="ordre.pk") == (
        "key='ordre.pk' begins with 'ordre', but the signal sends (order, using)."
    )


class Service:
    def method(self, sender: Any, **kwargs: Any) -> None: ...

    def __call__(self, sender: Any, **kwargs: Any) -> None: ...


@pytest.mark.parametrize(
    "make",
    [
        lambda: lambda sender, **kwargs: None,
        lambda: functools.partial(note, order=1),
        Service,
    ],
    ids=["lambda", "partial", "object"],
)
def test_receiver_that_has_no_name_to_be_found_by_needs_a_key(make: Any) -> None:
    assert refusal(receiver=make(), durable=True, weak=False) == (
        "its deliveries are stored under its name, and this one has none to be found again by. "
        'Define it at the top level of a module, or declare a key: durable="shop.send_receipt".'
    )


def test_local_function_needs_a_key() -> None:
    def local(sender: Any, **kwargs: Any) -> None: ...

    assert refusal(receiver=local, durable=True).startswith("its deliveries are stored under its")


def test_key_of_another_receiver_of_the_signal_is_refused() -> None:
    paid.connect(note, durable="tests.options", aliases=["tests.before"])
    try:
        for options in (
            {"durable": "tests.options"},
            {"durable": "tests.before"},
            {"durable": "tests.new", "aliases": ["tests.options"]},
        ):
            problem = refusal(receiver=other, **options)  # type: ignore[arg-type]
            assert problem == (
                f"its key '{options['durable']}' is that of 'tests.durable.test_options.note' too, so a "
                'delivery would not know whose it is. Declare another: durable="...".'
            )
    finally:
        paid.disconnect(note)


def test_key_of_a_receiver_of_a_signal_of_the_same_name_is_refused() -> None:
    twin = Signal(name="tests.options.paid")
    paid.connect(note, durable="tests.options")
    try:
        assert refusal(twin, other, durable="tests.options").startswith(
            "its key 'tests.options' is"
        )
    finally:
        paid.disconnect(note)


def test_methods_of_two_objects_need_two_keys() -> None:
    one, two = Service(), Service()
    paid.connect(one.method, durable=True)
    try:
        assert refusal(receiver=two.method, durable=True).startswith(
            "its key 'tests.durable.test_options.Service.method' is that of"
        )
        paid.connect(two.method, durable="tests.options.two")
        paid.disconnect(two.method)
    finally:
        paid.disconnect(one.method)


def test_receiver_of_several_signals_has_one_key_for_all() -> None:
    for each in (paid, declared):
        each.connect(note, durable="tests.options")
    try:
        assert receivers.find("tests.options", "tests.options.paid") is not None
        assert receivers.find("tests.options", "tests.options.declared") is not None
        assert receivers.find("tests.options", "tests.options.other") is None
    finally:
        for each in (paid, declared):
            each.disconnect(note)


def test_receiver_that_is_connected_twice_keeps_its_first_options() -> None:
    paid.connect(note, durable=True, max_attempts=3)
    paid.connect(note, durable=True, max_attempts=5)
    try:
        found = receivers.find("tests.durable.test_options.note", "tests.options.paid")
        assert found is not None
        assert found.options.max_attempts == 3
        assert [each for each in receivers.known() if each.receiver is note] == [found]
    finally:
        paid.disconnect(note)
    assert not is_known(note)


def test_receiver_is_found_by_its_name_its_key_and_its_aliases() -> None:
    paid.connect(note, durable=True, aliases=["tests.before"])
    try:
        by_name = receivers.find("tests.durable.test_options.note", "tests.options.paid")
        assert by_name is receivers.find("tests.before", "tests.options.paid")
        assert {"tests.durable.test_options.note", "tests.before"} <= receivers.keys()
    finally:
        paid.disconnect(note)


def test_receiver_that_dies_is_not_found() -> None:
    def local(sender: Any, **kwargs: Any) -> None: ...

    paid.connect(local, durable="tests.options.local")
    assert receivers.find("tests.options.local", "tests.options.paid") is not None
    del local
    with pytest.warns(DeadReceiverWarning, match=r"test_receiver_that_dies.*was gone before"):
        paid.send(None)
    assert receivers.find("tests.options.local", "tests.options.paid") is None


def test_delivery_may_be_named_where_the_signal_does_not_send_it() -> None:
    def told(order: Any, delivery: Any) -> None: ...

    declared.connect(told, durable="tests.options.told")
    declared.disconnect(told)
    with pytest.raises(ReceiverError, match="it requires 'delivery' but the signal sends"):
        declared.connect(told)


def test_signal_that_was_declared_by_a_function_takes_durable_receivers() -> None:
    @signal
    def sent(sender: Any, *, order: int) -> None: ...

    def told(sender: Any, *, order: int, delivery: Any) -> None: ...

    sent.connect(told, durable="tests.options.told")  # type: ignore[arg-type]
    assert receivers.find("tests.options.told", sent.name) is not None
    sent.disconnect(told)


def test_option_at_its_default_is_as_none() -> None:
    paid.connect(note, durable=False, atomic=False, max_attempts=None)
    try:
        assert not is_known(note)
    finally:
        paid.disconnect(note)


def test_durable_needs_the_app_of_django(monkeypatch: pytest.MonkeyPatch) -> None:
    from signalpost.dispatch import hooks

    monkeypatch.setattr(hooks, "options", {})

    assert refusal(durable=True) == (
        "durable= needs Signalpost's Django app. List 'signalpost.django' in INSTALLED_APPS, or call "
        "signalpost.django.adopt() first."
    )


def test_model_that_is_loaded_later_is_for_a_durable_receiver_too() -> None:
    post_save.connect(note, sender="store.Order", durable="tests.options.order")
    try:
        assert receivers.find("tests.options.order", "django.db.models.signals.post_save")
        assert post_save.has_listeners(Order)
    finally:
        post_save.disconnect(note, sender="store.Order")
    assert not is_known(note)
