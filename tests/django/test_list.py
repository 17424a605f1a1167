"""`manage.py signalpost list` and `signalpost.inspect`."""

from __future__ import annotations

import functools
import gc
import io
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.db.models.signals import post_save
from jsonschema import Draft202012Validator

import signalpost
from signalpost import inspect
from tests.store.models import Order

paid = signalpost.Signal(providing_args=["order"], doc="An order was paid.")
quiet = signalpost.Signal()


def log_payment(**kwargs: Any) -> None: ...


async def mail_receipt(order: Any) -> None: ...


def reserve(order: Any) -> None: ...


@pytest.fixture(autouse=True)
def connected() -> Any:
    paid.connect(mail_receipt, priority=9)
    paid.connect(log_payment, sender=Order)
    paid.connect(reserve, before=log_payment, on_commit=True, weak=False)
    post_save.connect(log_payment, sender=Order)
    yield
    post_save.disconnect(log_payment, sender=Order)
    paid.receivers = []


def listed(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("signalpost", "list", *args, stdout=out, no_color=True, **options)
    return out.getvalue()


def test_names_payload_and_receivers_in_call_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    lines = listed("--signal", "test_list.paid").splitlines()
    here = "tests.django.test_list"
    assert lines[0] == f"{here}.paid(order)"
    assert lines[1] == "    An order was paid."
    reserve_line, log_line, mail_line = lines[2:5]
    assert reserve_line.startswith(
        f"  {here}.reserve  strong  before={here}.log_payment  on_commit=True"
    )
    assert log_line.startswith(f"  {here}.log_payment  sender=tests.store.models.Order  ")
    assert mail_line.startswith(
        f"  {here}.mail_receipt  priority=9  async  tests/django/test_list.py:"
    )
    line = int(mail_line.rpartition(":")[2])
    assert Path(__file__).read_text().splitlines()[line - 1].startswith("async def mail_receipt")


def test_json_is_what_the_program_gets() -> None:
    data = json.loads(listed("--signal", "test_list.paid", "--format", "json"))
    [signal] = data["signals"]
    [info] = [each for each in inspect.signals() if each.name == "tests.django.test_list.paid"]
    assert data["version"] == inspect.VERSION
    assert signal["payload"] == ["order"]
    assert [r["name"] for r in signal["receivers"]] == [r.name for r in info.receivers]
    assert [r.delivery for r in info.receivers] == ["on commit", "now", "now"]
    assert [r.weak for r in info.receivers] == [False, True, True]
    assert [r.is_async for r in info.receivers] == [False, False, True]


def test_json_validates_against_the_published_schema(checkout: Path) -> None:
    schema = json.loads((checkout / "docs/reference/list.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    # The published one is open, for what comes later; the list holds no more than it describes.
    for part in (schema, *schema["$defs"].values()):
        part["additionalProperties"] = False
    validator = Draft202012Validator(schema)
    data = json.loads(listed("--all", "--format", "json"))
    assert len(data["signals"]) > 20
    validator.validate(data)

    # What the schema doesn't know, or the list forgets, is noticed.
    for place in (
        data,
        data["signals"][0],
        next(s for s in data["signals"] if s["receivers"])["receivers"][0],
    ):
        for name, value in list(place.items()):
            del place[name]
            assert not validator.is_valid(data), name
            place[name] = value
        place["unknown"] = 1
        assert not validator.is_valid(data)
        del place["unknown"]
    validator.validate(data)


def test_djangos_options_may_stand_behind_the_subcommand() -> None:
    coloured, plain = io.StringIO(), io.StringIO()
    call_command("signalpost", "list", "--force-color", "-v", "0", stdout=coloured)
    call_command(
        "signalpost", "list", "--no-color", "--settings=tests.django_settings", stdout=plain
    )
    assert "\x1b" in coloured.getvalue()
    assert "\x1b" not in plain.getvalue()


def test_signals_are_listed_after_a_server_has_frozen_its_objects() -> None:
    gc.freeze()
    try:
        assert "tests.django.test_list.paid" in {info.name for info in inspect.signals()}
    finally:
        gc.unfreeze()


def test_filters() -> None:
    assert "post_save" in listed("store")
    assert "test_list.paid" in listed("--sender", "models.Order")
    assert "reserve" not in listed("--sender", "models.Order")
    assert listed("--signal", "nothing of the kind") == "No signal has receivers that match.\n"
    assert "test_list.quiet" not in listed("--signal", "test_list.quiet")
    assert "no receivers" in listed("--signal", "test_list.quiet", "--all")


def test_graphs() -> None:
    mermaid = listed("--signal", "test_list.paid", "--format", "mermaid").splitlines()
    assert mermaid[0] == "flowchart LR"
    assert any("-.->" in line and "reserve" in line for line in mermaid)
    assert any('-->|"tests.store.models.Order"|' in line for line in mermaid)
    dot = listed("--signal", "test_list.paid", "--format", "dot")
    assert dot.startswith("digraph signals {")
    assert '"tests.django.test_list.paid" -> "tests.django.test_list.reserve" [style=dashed]' in dot


def test_check_fails_and_shows_what_changed(tmp_path: Path) -> None:
    baseline = tmp_path / "signals.json"
    baseline.write_text(listed("--signal", "test_list.paid", "--format", "json"))
    assert "The wiring is that of" in listed("--signal", "test_list.paid", check=str(baseline))
    paid.disconnect(mail_receipt)
    out = io.StringIO()
    with pytest.raises(CommandError, match="The wiring has changed"):
        call_command(
            "signalpost", "list", "--signal", "test_list.paid", "--check", str(baseline), stdout=out
        )
    assert "-  tests.django.test_list.mail_receipt" in out.getvalue()


def test_check_against_what_is_no_list(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    for text in ("{}", "nonsense", '{"signals": [1]}'):
        wrong.write_text(text)
        with pytest.raises(
            CommandError, match=r"Cannot compare with .*wrong.json: it isn't a list"
        ):
            listed(check=str(wrong))
    with pytest.raises(CommandError, match=r"Cannot compare with .*No such file"):
        listed(check=str(tmp_path / "missing.json"))


class Evasive:
    """A receiver that raises when it is to be described."""

    def __call__(self, **kwargs: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise (RuntimeError if name == "func" else AttributeError)(name)


def test_receivers_that_are_no_functions_are_listed() -> None:
    signal = signalpost.Signal(name="of odd ones")
    mock, evasive, partial = Mock(), Evasive(), functools.partial(log_payment, order=1)
    for receiver in (mock, evasive, partial):
        signal.connect(receiver, weak=False)

    info = inspect.describe(signal).receivers

    assert [(each.file, each.line) for each in info[1:]] == [
        (None, None),
        (__file__, log_payment.__code__.co_firstlineno),
    ]
    assert "Mock" in info[0].name
    json.loads(listed("--signal", "of odd ones", "--format", "json"))


def test_place_of_a_signal_is_where_it_is_declared(checkout: Path) -> None:
    found = {info.name: info for info in inspect.signals()}
    ours = found["tests.django.test_list.paid"]
    assert ours.file == __file__
    assert Path(__file__).read_text().splitlines()[ours.line - 1].startswith("paid = ")
    djangos = found["django.db.models.signals.post_save"]
    assert djangos.file and djangos.file.endswith("signals.py")
    assert Path(djangos.file).read_text().splitlines()[djangos.line - 1].startswith("post_save = ")
    data = json.loads(listed("--signal", "models.signals.post_save", "--format", "json"))
    assert data["signals"][0]["file"] == "django/db/models/signals.py"
