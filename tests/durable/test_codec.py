"""What values are stored as: canonical, and the same again when they are read."""

from __future__ import annotations

import datetime as dt
import http
import json
import zoneinfo
from collections import OrderedDict, defaultdict
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from signalpost.delivery import codec
from signalpost.delivery.values import MAX_DEPTH, decoders
from signalpost.exceptions import DeclarationError, PayloadUnreadable, RecordingError
from tests.durable import stored
from tests.durable.stored import Basket, Color, Line, Money, Right, Size, Status

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**70), 2**70)
floats = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
zones = st.sampled_from(
    [None, dt.UTC, dt.timezone(dt.timedelta(hours=5, minutes=45)), dt.timezone(dt.timedelta(-1, 7))]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    floats,
    texts,
    decimals,
    st.binary(max_size=20),
    st.dates(),
    st.times(),
    st.datetimes(timezones=zones),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from([*Color, *Size, *Status, *Right, stored.Outer.Inner.ONE, http.HTTPStatus.OK]),
    st.sampled_from([Color, Money, stored.Outer, stored.Outer.Inner, object]),
)
hashables = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.tuples(inner, inner),
        st.frozensets(inner, max_size=3),
        st.builds(Money, inner, texts),
    ),
    max_leaves=4,
)
values = st.recursive(
    hashables,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.sets(hashables, max_size=3),
        st.dictionaries(texts, inner, max_size=3),
        st.dictionaries(hashables, inner, max_size=3),
        st.builds(Basket, st.lists(st.builds(Line, inner), max_size=2)),
    ),
    max_leaves=8,
)


def again(value: Any) -> Any:
    return codec.loads(codec.dumps({"value": value}))["value"]


def same(one: Any, other: Any) -> bool:  # noqa: PLR0911 - one for each kind
    """Equal, and of the same types all the way down: 1, 1.0 and True are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return sorted_texts(one.items()) == sorted_texts(other.items())
    if isinstance(one, (set, frozenset)):
        return sorted_texts(one) == sorted_texts(other)
    if isinstance(one, (Money, Line)):
        return all(
            same(getattr(one, n), getattr(other, n))
            for n in type(one).__annotations__
            if n != "made"
        )
    if isinstance(one, Decimal):
        return one.as_tuple() == other.as_tuple()
    return bool(one == other)


def sorted_texts(items: Any) -> list[str]:
    return sorted(codec.dumps({"item": item}) for item in items)


@given(st.dictionaries(texts, values, max_size=4))
def test_what_is_read_is_what_was_written(named: dict[str, Any]) -> None:
    found = codec.loads(codec.dumps(named))

    assert found.keys() == named.keys()
    for name, value in named.items():
        assert same(found[name], value)


@given(values)
def test_what_is_read_is_written_byte_for_byte_the_same(value: Any) -> None:
    text = codec.dumps({"value": value})

    assert codec.dumps(codec.loads(text)) == text


@given(values)
def test_stored_text_is_plain_ascii_json(value: Any) -> None:
    text = codec.dumps({"value": value})

    assert text.isascii()
    assert "\x00" not in text
    assert isinstance(json.loads(text, parse_constant=pytest.fail), dict)


@given(st.dictionaries(hashables, values, max_size=5), st.randoms(use_true_random=False))
def test_order_in_which_a_dictionary_was_filled_changes_nothing(
    value: dict[Any, Any], random: Any
) -> None:
    items = list(value.items())
    random.shuffle(items)

    assert codec.dumps({"value": dict(items)}) == codec.dumps({"value": value})


@given(st.lists(hashables, max_size=6), st.randoms(use_true_random=False))
def test_order_in_which_a_set_was_filled_changes_nothing(items: list[Any], random: Any) -> None:
    # What is equal in Python isn't always the same: of 1 and True a set keeps the first.
    items = list(set(items))
    shuffled = list(items)
    random.shuffle(shuffled)

    assert codec.dumps({"value": set(shuffled)}) == codec.dumps({"value": set(items)})


def test_order_of_the_arguments_changes_nothing() -> None:
    assert codec.dumps({"b": 1, "a": 2}) == codec.dumps({"a": 2, "b": 1}) == '{"a":2,"b":1}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        ("é\x00", '"\\u00e9\\u0000"'),
        (Decimal("1.50"), '{"$":"decimal","v":"1.50"}'),
        (b"ab", '{"$":"bytes","v":"YWI="}'),
        (dt.date(2024, 2, 29), '{"$":"date","v":"2024-02-29"}'),
        (dt.time(9, 30), '{"$":"time","v":"09:30:00"}'),
        (
            dt.datetime(2024, 2, 29, 9, 30, tzinfo=dt.UTC),
            '{"$":"datetime","v":"2024-02-29T09:30:00+00:00"}',
        ),
        (dt.timedelta(days=-1, seconds=5), '{"$":"timedelta","v":[-1,5,0]}'),
        (UUID(int=5), '{"$":"uuid","v":"00000000-0000-0000-0000-000000000005"}'),
        ((1, 2), '{"$":"tuple","v":[1,2]}'),
        ({3, 1, 2}, '{"$":"set","v":[1,2,3]}'),
        (frozenset("a"), '{"$":"frozenset","v":["a"]}'),
        ({"a": 1}, '{"a":1}'),
        ({1: "a"}, '{"$":"dict","v":[[1,"a"]]}'),
        ({"$": 1}, '{"$":"dict","v":[["$",1]]}'),
        (Color.RED, '{"$":"enum","v":["tests.durable.stored:Color","RED"]}'),
        (
            Money(5),
            '{"$":"dataclass","v":["tests.durable.stored:Money",{"amount":5,"currency":"EUR"}]}',
        ),
        (Color, '{"$":"class","v":"tests.durable.stored:Color"}'),
    ],
)
def test_stored_form_is_the_same_for_good(value: Any, text: str) -> None:
    # Rows of an older release have to be read by a newer one: a change here needs a new version.
    assert codec.dumps({"value": value}) == f'{{"value":{text}}}'
    assert same(codec.loads(f'{{"value":{text}}}')["value"], value)


# ------------------------------------------------------------------------------ kinds of values


def test_datetime_keeps_its_instant_and_its_offset() -> None:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    value = dt.datetime(2024, 10, 27, 2, 30, 0, 5, tzinfo=berlin, fold=1)

    assert again(value).astimezone(dt.UTC) == value.astimezone(dt.UTC)
    assert again(value).utcoffset() == value.utcoffset()


def test_time_whose_zone_needs_a_date_is_refused() -> None:
    value = dt.time(9, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))

    with pytest.raises(RecordingError, match="argument 'at' can't be stored: its time zone has no"):
        codec.dumps({"at": value})


def test_nul_and_all_planes_of_unicode_come_back() -> None:
    assert again("a\x00b\ud7ff\U0010ffff 🐍") == "a\x00b\ud7ff\U0010ffff 🐍"


def test_enum_of_an_alias_comes_back_as_its_member() -> None:
    assert again(Color.ROUGE) is Color.RED


def test_subclasses_of_plain_types_come_back_as_those() -> None:
    class Number(int):
        def __str__(self) -> str:
            return "not a number"

    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "another"

    class Day(dt.date):
        def isoformat(self) -> str:
            return "some day"

    assert same(again(Number(5)), 5)
    assert same(again(Text("text")), "text")
    assert type(again(mark_safe("<b>"))) is str
    assert isinstance(mark_safe("<b>"), SafeString)
    assert same(again(Day(2024, 1, 1)), dt.date(2024, 1, 1))


def test_enum_of_texts_or_numbers_comes_back_as_itself() -> None:
    assert again(Status.PAID) is Status.PAID
    assert again(Size.LARGE) is Size.LARGE
    assert again({Status.PAID: Size.LARGE}) == {Status.PAID: Size.LARGE}


def test_dataclass_comes_back_without_its_own_code_being_run() -> None:
    stored.ran.clear()
    value = stored.Checked(5)
    stored.ran.clear()

    assert again(value) == value
    assert stored.ran == []


def test_text_that_is_translated_late_is_stored_as_its_text() -> None:
    assert same(again(gettext_lazy("yes")), "yes")


def test_lazy_object_is_stored_as_what_it_stands_for() -> None:
    assert again(SimpleLazyObject(lambda: Money(3))) == Money(3)


def test_anonymous_user_comes_back() -> None:
    from django.contrib.auth.models import AnonymousUser

    found = again(SimpleLazyObject(AnonymousUser))

    assert type(found) is AnonymousUser
    assert not found.is_authenticated


# ------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        (object(), "", "a builtins.object isn't stored. Pass what it is made of, or teach"),
        ({"lines": [1, object()]}, "['lines'][1]", "a builtins.object isn't stored"),
        (Basket([Line(1), Line(object())]), ".lines[1].price", "a builtins.object isn't stored"),
        ({"ada@example.com": object()}, "[...]", "a builtins.object isn't stored"),
        ({object: object()}, "[...]", "a builtins.object isn't stored"),
        ({5: object()}, "[5]", "a builtins.object isn't stored"),
        ({object()}, "{...}", "a builtins.object isn't stored"),
        ((1, (2, object())), "[1][1]", "a builtins.object isn't stored"),
        (float("nan"), "", "nan is no number in JSON. Pass None, or leave it out."),
        ([float("-inf")], "[0]", "-inf is no number in JSON."),
        (Decimal("NaN"), "", "it is no finite number. Pass None, or leave it out."),
        (2**8001, "", "it has too many digits. Pass it as a string of hexadecimal ones."),
        ("\ud800", "", "it holds half of a surrogate pair, which no encoding of text can store."),
        ({"\udfff": 1}, "[...]", "it holds half of a surrogate pair"),
        (Right.READ | Right.WRITE, "", "a combination of Right has no name. Pass its value."),
        (stored.Point(1, 2), "", "a Point is more than a tuple. Pass it as one: tuple(...)."),
        (OrderedDict(a=1), "", "a OrderedDict is more than a dict. Pass it as one: dict(...)."),
        (defaultdict(list), "", "a defaultdict is more than a dict."),
        (bytearray(b"a"), "", "a bytearray may change. Pass it as bytes: bytes(...)."),
        (memoryview(b"a"), "", "a memoryview may change."),
        (lambda: None, "", "a builtins.function isn't stored."),
        ((n for n in ()), "", "a builtins.generator isn't stored."),
        (SimpleNamespace(a=1), "", "a types.SimpleNamespace isn't stored."),
        (stored.WithProperty(), "", "has a field 'name' that is a property, so it isn't restored"),
        (stored.WithDel(), "", "has a `__del__`, which would run for what was never used"),
        (stored.OfDict(), "", "a OfDict is more than a dict."),
        (json.JSONDecoder, "", "'json.decoder:JSONDecoder' is a class of Python's library"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place_and_a_reason(
    value: Any, path: str, reason: str
) -> None:
    with pytest.raises(RecordingError) as caught:
        codec.dumps({"order": value})

    assert f"argument 'order{path}' can't be stored: " in str(caught.value)
    assert reason in str(caught.value)


def test_class_that_no_module_has_is_refused() -> None:
    class Local:
        pass

    with pytest.raises(RecordingError, match="Define the class at the top level of a module"):
        codec.dumps({"kind": Local})


def test_class_that_was_replaced_under_its_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        pass

    Other.__module__, Other.__qualname__ = stored.__name__, "Temperature"

    with pytest.raises(RecordingError, match="is another class by now"):
        codec.dumps({"kind": Other})


def test_class_of_the_program_that_was_started_is_refused() -> None:
    class Local:
        pass

    Local.__module__, Local.__qualname__ = "__main__", "Local"

    with pytest.raises(RecordingError, match="'__main__:Local' is a class of the program that was"):
        codec.dumps({"kind": Local})


def test_project_may_have_a_module_that_is_called_as_one_of_pythons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys
    import types

    module = types.ModuleType("profile")
    module.__file__ = "/srv/shop/profile/__init__.py"
    exec("class Card: pass", vars(module))
    monkeypatch.setitem(sys.modules, "profile", module)

    assert again(vars(module)["Card"]) is vars(module)["Card"]


@pytest.mark.parametrize("kind", [list, dict])
def test_what_holds_itself_is_refused(kind: Any) -> None:
    value = kind()
    value.append(value) if kind is list else value.update(a=value)

    with pytest.raises(RecordingError) as caught:
        codec.dumps({"order": value})

    assert str(caught.value).endswith(f"it has more than {MAX_DEPTH} levels, or holds itself.")
    assert len(str(caught.value)) < 300


def test_as_many_levels_as_are_stored_are_read() -> None:
    value: Any = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]

    assert again(value) == value
    with pytest.raises(RecordingError, match="more than 100 levels"):
        again([value])


def test_object_that_is_not_whole_is_refused() -> None:
    value = object.__new__(Money)

    with pytest.raises(RecordingError, match="argument 'price' can't be stored: it raised a Attr"):
        codec.dumps({"price": value})


def test_error_about_a_name_with_half_of_a_pair_can_be_printed() -> None:
    with pytest.raises(RecordingError) as caught:
        codec.dumps({"\ud800": 1})

    assert str(caught.value).startswith("argument '\\ud800' can't be stored: it holds half")


# -------------------------------------------------------------------------------- register_type


@pytest.fixture
def taught() -> Any:
    def forget() -> None:
        for name in ("tests.temperature", "tests.other"):
            decoders.pop(name, None)

    yield
    forget()


@pytest.mark.usefixtures("taught")
def test_type_that_was_registered_comes_back() -> None:
    codec.register_type(
        stored.Temperature,
        name="tests.temperature",
        encode=lambda value: {"degrees": Decimal(str(value.degrees))},
        decode=lambda data: stored.Temperature(float(data["degrees"])),
    )

    assert again([stored.Temperature(36.6)]) == [stored.Temperature(36.6)]
    assert type(again(stored.Fever(39.5))) is stored.Temperature


@pytest.mark.usefixtures("taught")
def test_type_may_be_registered_again() -> None:
    for _ in range(2):
        codec.register_type(
            stored.Temperature,
            name="tests.temperature",
            encode=lambda value: value.degrees,
            decode=stored.Temperature,
        )

    assert again(stored.Temperature(1.0)) == stored.Temperature(1.0)


@pytest.mark.parametrize("name", ["decimal", "dict", "dataclass", "instance", "", None, 5])
def test_name_that_is_taken_or_none_is_refused(name: Any) -> None:
    with pytest.raises(DeclarationError, match=r"under the name .*, which is taken or no text"):
        codec.register_type(stored.Temperature, name=name, encode=str, decode=stored.Temperature)


@pytest.mark.parametrize("kind", [dict, str, None, "tests.durable.stored.Temperature"])
def test_type_that_is_stored_as_it_is_is_refused(kind: Any) -> None:
    with pytest.raises(DeclarationError, match="which is no class, or one that is stored as it is"):
        codec.register_type(kind, name="tests.other", encode=str, decode=str)


@pytest.mark.usefixtures("taught")
def test_encoder_that_raises_is_named_and_its_error_kept() -> None:
    def fails(value: Any) -> Any:
        raise RuntimeError("a secret")

    codec.register_type(
        stored.Temperature, name="tests.temperature", encode=fails, decode=stored.Temperature
    )
    with pytest.raises(RecordingError) as caught:
        codec.dumps({"at": [stored.Temperature(1)]})

    text = "argument 'at[0]' can't be stored: encode= of 'tests.temperature' raised a RuntimeError."
    assert str(caught.value) == text
    assert isinstance(caught.value.__cause__, RuntimeError)


# -------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The stored payload is no JSON"),
        ("{", "The stored payload is no JSON"),
        ("[1]", "The stored payload is a list, not a dictionary."),
        ('{"a": NaN}', "The stored payload is no JSON: NaN is no number"),
        ('{"a": 1, "a": 2}', "The stored payload is no JSON: a name stands twice in one object"),
        ('{"a": {"b": 1, "b": 2}}', "a name stands twice in one object"),
        ('{"a": ' + "9" * 5000 + "}", "The stored payload is no JSON: Exceeds the limit"),
        ('{"a": ' + "[" * 100_000, "The stored payload is no JSON: maximum recursion depth"),
    ],
)
def test_text_that_is_no_payload_is_not_read(text: str, reason: str) -> None:
    with pytest.raises(PayloadUnreadable) as caught:
        codec.loads(text)

    assert reason in str(caught.value)
    assert "999" not in str(caught.value)
