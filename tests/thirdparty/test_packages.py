"""Packages that reach into Django's dispatcher do with ours what they do with Django's.

Each scenario is played on Django's own dispatcher and on ours, adopted before the package has
patched or connected anything, and after. What is observed has to be the same; what is expected is
written out too, so that a scenario can't shrink to nothing.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.thirdparty.play import ALONE, ORDERS
from tests.thirdparty.playing import play, require

every_order = pytest.mark.parametrize("order", ORDERS)


@every_order
def test_factory_boy_mutes_signals_and_restores_their_receivers(order: str) -> None:
    seen = play("factory_boy", order)

    assert seen == play("factory_boy", ALONE)
    assert seen["receivers while muted"] == 0
    assert seen["order"] == ["first", "second", "connected_while_muted"]
    assert seen["heard"] == [
        *("first before", "second before"),
        *("while muted muted, one connected", "while muted muted once again"),
        *("first after", "second after", "while muted after"),
        *("first after all", "second after all", "while muted after all"),
        "while muted one left",
    ]
    assert seen["plain"] == [1, False, [], [], True, 1]
    assert seen["disconnected"] == [True, True]


@every_order
def test_sentry_records_a_span_for_each_sync_receiver(order: str) -> None:
    seen = play("sentry", order)
    spans = Counter(name.rpartition(".")[2] for _, _, name in seen["spans"][0])

    assert seen == play("sentry", ALONE)
    # 40 sends, one failing and one robust for each signal, and the plain one's asends.
    assert spans["function"] == 3 * 42 + 2
    assert spans["fails"] == 3 * 2 + 1
    assert spans["later"] == 0
    assert [response for *_, response in seen["plain"][0]] == [
        *("\"function ['book', 'reader']\"", "'method'"),
        *("\"function ['book', 'extra', 'reader']\"", "'callable object'"),
    ]
    for name in ("plain", "caching", "warm"):
        assert {how for _, how, _ in seen[name][0]} == {"wrapped"}
    assert {how for _, how, _ in seen["denied"][0]} == {"bare"}
    assert seen["async"][1][-1] == ["later", "bare", "'async'"]


@every_order
def test_the_toolbars_panel_lists_who_is_connected(order: str) -> None:
    seen = play("debug_toolbar", order)

    assert seen == play("debug_toolbar", ALONE)
    assert seen["ours"] == [
        *("on_lent", "on_lent", "Library.lend", "type.count", "stamp", "on_lent_later"),
        "functools.partial(<function on_lent",
    ]
    assert seen["saved"] == ["on_lent"]
    assert seen["in the page"]
    assert seen["rendered"]


@every_order
def test_model_utils_tracks_fields_and_monitors_changes(order: str) -> None:
    seen = play("model_utils", order)

    assert seen == play("model_utils", ALONE)
    assert seen["changes"] == [
        [True, {"title": None, "pages": None}],
        [False, {"pages": 300}],
        [False, {"title": "Emma"}],
    ]
    assert seen["seen"] == [
        *(True, 300, True, True),
        *({"title": "Emma, a novel"}, {}),
        *(1, 1, 2),
        *(True, True),
    ]


@every_order
def test_simple_history_writes_a_record_of_each_change(order: str) -> None:
    seen = play("simple_history", order)

    assert seen == play("simple_history", ALONE)
    assert [kind for kind, *_ in seen["records"]] == ["+", "~", "~", "~", "-"]
    assert seen["records"][1] == ["~", "Emma, a novel", "about Emma, a novel"]
    assert seen["authors"] == [0, 0, 2, 1, 0]
    assert seen["heard"][:2] == ["before +", "authors 0"]


def test_a_package_that_is_missing_fails_the_test_where_all_have_to_be_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-package is not installed"):
        require("no-such-package")


def test_a_package_that_is_missing_skips_the_test_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-package is not installed"):
        require("no-such-package")
