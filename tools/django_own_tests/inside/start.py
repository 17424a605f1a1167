"""Run Django's runtests.py in this process, unchanged, with Signalpost's dispatcher or without.

This file is the script that the process is started with, so that it is here before anything of
Django is imported. Into the record folder it writes

state.json                         was the dispatcher ours, at the start and at the end
outcomes.jsonl                     what became of each test (see recorder.py)
django.sends, signalpost.sends     one byte for each send that went through that dispatcher
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import runpy
import sys
from pathlib import Path
from types import FunctionType

SEND_METHODS = ("send", "send_robust", "asend", "asend_robust")


def main() -> None:
    """Do what the command line says; the process ends inside of Django's runtests.py."""
    options = _parse_arguments()
    _arrange_import_path(options.tests)
    state: dict[str, object] = {}
    try:
        _prepare(options, state)
        os.chdir(options.tests)
        # Workers are forked: they inherit the dispatcher, the counts and the recorder.
        sys.argv = ["runtests.py", "--noinput", f"--parallel={options.processes}", *options.labels]
        runpy.run_path(str(options.tests / "runtests.py"), run_name="__main__")
    finally:
        state["ours_at_end"] = _ours()
        (options.record / "state.json").write_text(json.dumps(state), encoding="utf-8")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=Path, required=True, help="the folder of runtests.py")
    parser.add_argument("--record", type=Path, required=True, help="the folder to write into")
    parser.add_argument("--source", type=Path, help="has signalpost, if it isn't installed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--adopt", action="store_true")
    parser.add_argument("labels", nargs="*")
    return parser.parse_args()


def _arrange_import_path(tests: Path) -> None:
    # As `python runtests.py` has it: the first entry, which is this file's folder, is the tests'.
    sys.path[0] = str(tests)
    sys.path.append(str(Path(__file__).resolve().parents[2]))


def _prepare(options: argparse.Namespace, state: dict[str, object]) -> None:
    _count_sends(options.record / "django.sends")
    if options.adopt:
        _import_signalpost(options.source)
        _adopt(options.record, state)
    state["ours_at_start"] = _ours()

    # Only now: Django's test runner imports its database layer, and that connects receivers.
    from django.conf import global_settings

    from django_own_tests.inside.recorder import record_to

    record_to(options.record / "outcomes.jsonl")
    # The default of the setting, so that the settings module of Django's tests is left as it is.
    global_settings.TEST_RUNNER = "django_own_tests.inside.recorder.RecordingRunner"


def _import_signalpost(source: Path | None) -> None:
    try:
        import signalpost  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "signalpost" or source is None:
            raise
        sys.path.append(str(source))


def _adopt(record: Path, state: dict[str, object]) -> None:
    from signalpost.django import adopt

    state["connected_before"] = _connected()
    state["adopt_returned"] = adopt()
    if _ours():
        _count_sends(record / "signalpost.sends")


def _count_sends(path: Path) -> None:
    from django.dispatch import Signal

    from django_own_tests.inside.sends import count_calls, tally

    tick = tally(path)
    for name in SEND_METHODS:
        count_calls(vars(Signal)[name], tick)


def _ours() -> bool:
    """Return whether each of the four sends of ``django.dispatch.Signal`` is Signalpost's."""
    from django.dispatch import Signal

    return all(_comes_from_signalpost(vars(Signal).get(name)) for name in SEND_METHODS)


def _comes_from_signalpost(method: object) -> bool:
    package = getattr(sys.modules.get("signalpost"), "__file__", None)
    if package is None or not isinstance(method, FunctionType):
        return False
    return Path(method.__code__.co_filename).is_relative_to(Path(package).parent)


def _connected() -> int:
    """Return how many receivers are connected to any ``django.dispatch.Signal`` so far."""
    from django.dispatch import Signal

    # By type(): isinstance() asks lazy objects what they are, and that would load the settings.
    signals = [found for found in gc.get_objects() if issubclass(type(found), Signal)]
    return sum(len(found.receivers) for found in signals)


if __name__ == "__main__":
    main()
