"""``python -m tests.chaos``: kill producers and workers at random, then compare what happened with the promises."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos import databases, history, servers

if TYPE_CHECKING:
    from tests.chaos.checking import Facts, Verdict

#: Of one kind of violation, how many are printed.
SHOWN = 10


def main() -> int:
    arguments = _arguments()
    # So that what was begun is undone then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended by SIGTERM"))
    signal.signal(signal.SIGINT, lambda *_: sys.exit("Ended by Ctrl-C"))
    folder = Path(tempfile.mkdtemp(prefix="signalpost_chaos_"))
    holds = True  # where it was interrupted there is nothing to look at
    try:
        holds = _run(arguments, folder)
    finally:
        if holds:
            shutil.rmtree(folder)
        else:
            print(f"The history and the errors of this run are in {folder}.")
    return 0 if holds else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--database", type=str.lower, required=True, choices=("sqlite", "postgresql", "mariadb")
    )
    parser.add_argument("--kills", type=int, default=100, help="of workers, at random moments")
    parser.add_argument("--seed", type=int, default=None, help="of what chance decides")
    parser.add_argument("--lease", type=float, default=2.0, help="seconds that a claim is for")
    parser.add_argument("--pace", type=float, default=0.4, help="mean seconds between two events")
    parser.add_argument(
        "--restart-server", action="store_true", help="restart a server of its own underneath"
    )
    parser.add_argument("--stop", action="store_true", help="stop workers past their leases")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1_000_000)
    return arguments


def _run(arguments: argparse.Namespace, folder: Path) -> bool:
    started = time.monotonic()
    print(
        f"Chaos on {arguments.database}, seed {arguments.seed}: {arguments.kills} kills"
        f"{', workers stopped' if arguments.stop else ''}"
        f"{', server restarted' if arguments.restart_server else ''}",
        flush=True,
    )
    with contextlib.ExitStack() as stack:
        server = None
        if arguments.restart_server:
            server = stack.enter_context(servers.private(arguments.database, folder))
        place = server.place if server else {}
        stack.enter_context(databases.made(arguments.database, folder, place))
        _rage(arguments, folder, server)
        from tests.chaos.checking import Expected, judge
        from tests.chaos.receivers import ATOMIC, ORDERED, OUTSIDE, POISON, POISON_ATTEMPTS

        expected = Expected(ATOMIC, ORDERED, OUTSIDE, POISON, POISON_ATTEMPTS)
        facts = _facts(arguments, folder)
        verdict = judge(facts, expected)
        (folder / "tables").write_text(
            "\n".join(map(str, [*facts.sales, *facts.effects, *facts.left]))
        )
    verdict.numbers["seconds"] = round(time.monotonic() - started)
    _print(verdict)
    return verdict.holds


def _rage(arguments: argparse.Namespace, folder: Path, server: servers.Server | None) -> None:
    from tests.chaos.processes import Processes
    from tests.chaos.storm import Plan, Storm

    plan = Plan(
        kills=arguments.kills,
        seed=arguments.seed,
        lease=arguments.lease,
        pace=arguments.pace,
        stops=arguments.stop,
    )
    with history.History(folder / "history") as written:
        processes = Processes(folder, written)
        storm = Storm(plan, processes, written, server)
        if sys.stdout.isatty():
            storm.told = _progress
        try:
            storm.run()
        finally:
            processes.end_all()
            if sys.stdout.isatty():
                _progress("")


def _progress(text: str) -> None:
    print(f"\r\033[K{text}", end="", flush=True)


def _facts(arguments: argparse.Namespace, folder: Path) -> Facts:
    from signalpost.django.models import Delivery, Message
    from tests.chaos.checking import Facts, Left, Sale
    from tests.chaos.models import Effect
    from tests.chaos.models import Sale as Row

    left: list[Any] = list(Delivery.objects.select_related("message").order_by("id"))
    return Facts(
        events=list(history.read(folder / "history")),
        sales=[Sale(r.number, r.poison, r.line, r.place) for r in Row.objects.all()],
        effects=list(Effect.objects.order_by("id").values_list("receiver", "number")),
        left=[
            Left(
                row.receiver,
                json.loads(row.message.body)["named"]["number"],
                row.state,
                row.attempts,
                row.max_attempts,
                row.last_error,
            )
            for row in left
        ],
        messages=Message.objects.count(),
        lease=arguments.lease,
    )


def _print(verdict: Verdict) -> None:
    for name, number in verdict.numbers.items():
        print(f"{number:>9,}  {name}")
    print()
    for name, found in verdict.violations.items():
        print(f"{len(found):>9,}  {name}")
        for text in found[:SHOWN]:
            print(f"             {text}")
    print("\nAll promises hold." if verdict.holds else "\nBROKEN.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
