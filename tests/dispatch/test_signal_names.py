"""What a signal is called: where it is kept, or where it was made."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

import signalpost
from signalpost import Signal

MakeModule = Callable[[str, str], Any]


@pytest.fixture
def make_module(monkeypatch: pytest.MonkeyPatch) -> MakeModule:
    """A function that makes an importable module of a name and a source."""

    def make(name: str, source: str) -> types.ModuleType:
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)
        return module

    return make


def test_module_variable_names_its_signal(make_module: MakeModule) -> None:
    module = make_module("shop.signals", "from signalpost import Signal\norder_paid = Signal()")

    assert module.order_paid.name == "shop.signals.order_paid"


def test_class_attribute_names_its_signal(make_module: MakeModule) -> None:
    module = make_module(
        "shop.orders", "from signalpost import Signal\nclass Order:\n    paid = Signal()"
    )

    assert module.Order.paid.name == "shop.orders.Order.paid"


def test_given_name_wins(make_module: MakeModule) -> None:
    module = make_module(
        "shop.signals", "from signalpost import Signal\norder_paid = Signal(name='paid')"
    )

    assert module.order_paid.name == "paid"


def test_signal_that_no_variable_holds_is_named_by_module_and_line(make_module: MakeModule) -> None:
    module = make_module("shop.signals", "from signalpost import Signal\n\nheld = [Signal()]")

    assert module.held[0].name == "shop.signals.<Signal at line 3>"


def test_variable_that_is_bound_later_is_found(make_module: MakeModule) -> None:
    module = make_module("shop.signals", "from signalpost import Signal\nheld = [Signal()]")
    [signal] = module.held
    before = signal.name
    module.order_paid = signal

    assert (before, signal.name) == (
        "shop.signals.<Signal at line 2>",
        "shop.signals.order_paid",
    )


def test_name_that_was_found_stays(make_module: MakeModule) -> None:
    module = make_module("shop.signals", "from signalpost import Signal\norder_paid = Signal()")
    signal = module.order_paid
    signal.name  # noqa: B018  # read for the first time
    del module.order_paid

    assert signal.name == "shop.signals.order_paid"


def test_modules_that_import_a_signal_do_not_name_it(make_module: MakeModule) -> None:
    make_module("shop.signals", "from signalpost import Signal\norder_paid = Signal()")
    module = make_module("a", "import sys\norder_paid = sys.modules['shop.signals'].order_paid")

    assert module.order_paid.name == "shop.signals.order_paid"


def test_subclass_with_a_constructor_of_its_own_is_placed_where_it_is_called(
    make_module: MakeModule,
) -> None:
    make_module(
        "lib",
        "from signalpost import Signal\n"
        "class Base(Signal):\n"
        "    def __init__(self, label):\n"
        "        super().__init__()\n"
        "class Named(Base):\n"
        "    def __init__(self):\n"
        "        super().__init__('x')\n",
    )
    module = make_module(
        "shop.signals",
        "import sys\nlib = sys.modules['lib']\npaid = lib.Named()\nheld = [lib.Named()]",
    )

    assert module.paid.name == "shop.signals.paid"
    assert module.held[0].name == "shop.signals.<Named at line 4>"


def test_subclass_may_give_itself_a_name() -> None:
    class Labelled(Signal):
        def __init__(self, label: str) -> None:
            super().__init__()
            self.name = label

    assert Labelled("shop.paid").name == "shop.paid"
    assert repr(Labelled("shop.paid")) == "<Labelled 'shop.paid' (0 receivers)>"


def test_script_names_its_signals_after_main() -> None:
    program = "from signalpost import Signal\npaid = Signal()\nprint(paid.name, [Signal()][0].name)"

    printed = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert printed.strip() == "__main__.paid __main__.<Signal at line 3>"


def test_signal_of_a_module_that_was_unloaded_still_has_a_name(
    make_module: MakeModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = make_module("shop.signals", "from signalpost import Signal\norder_paid = Signal()")
    monkeypatch.delitem(sys.modules, "shop.signals")

    assert module.order_paid.name == "shop.signals.<Signal at line 2>"


def test_signal_that_was_never_initialized_is_looked_up_everywhere(
    make_module: MakeModule,
) -> None:
    signal = Signal.__new__(Signal)

    assert signal.name == "<Signal>"
    make_module("shop.signals", "").order_paid = signal
    assert signal.name == "shop.signals.order_paid"


class Untouchable:
    """As lazy objects are: whatever is asked of it, it would have to be made first."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"asked for {name}")


def test_names_are_found_without_touching_lazy_objects(make_module: MakeModule) -> None:
    module = make_module("shop.signals", "")
    module.settings = Untouchable()
    exec("from signalpost import Signal\npaid = Signal()\nheld = [Signal()]", module.__dict__)

    assert module.paid.name == "shop.signals.paid"
    assert module.held[0].name == "shop.signals.<Signal at line 3>"


@pytest.mark.parametrize("make_junk", [Untouchable, object, str, lambda: None])
def test_names_are_found_whatever_sys_modules_holds(
    make_junk: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = Signal.__new__(Signal)
    monkeypatch.setitem(sys.modules, "junk", make_junk())

    assert signal.name == "<Signal>"


@pytest.mark.parametrize("name", [5, b"paid", ["paid"]], ids=repr)
def test_name_must_be_a_string(name: Any) -> None:
    with pytest.raises(signalpost.DeclarationError) as caught:
        Signal(name=name)

    assert str(caught.value) == f"A signal's name must be a string, not {name!r}."


def test_repr_counts_the_receivers() -> None:
    def first(**kwargs: Any) -> None: ...

    def second(**kwargs: Any) -> None: ...

    signal = Signal(name="shop.paid")
    texts = [repr(signal)]
    for receiver in (first, second):
        signal.connect(receiver)
        texts.append(repr(signal))
    signal.disconnect(first)
    texts.append(repr(signal))

    assert texts == [
        "<Signal 'shop.paid' (0 receivers)>",
        "<Signal 'shop.paid' (1 receiver)>",
        "<Signal 'shop.paid' (2 receivers)>",
        "<Signal 'shop.paid' (1 receiver)>",
    ]


def test_repr_does_not_count_the_dead() -> None:
    def receiver(**kwargs: Any) -> None: ...

    class Sender: ...

    signal = Signal(name="shop.paid")
    signal.connect(receiver, sender=Sender())
    signal.connect(lambda **kwargs: None)
    signal.connect(receiver)

    assert repr(signal) == "<Signal 'shop.paid' (1 receiver)>"


def test_doc_says_what_was_said() -> None:
    assert Signal(doc="An order was paid.").doc == "An order was paid."
    assert Signal().doc is None
