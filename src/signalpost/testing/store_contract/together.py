"""Several workers, in threads, on one store."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

from signalpost.delivery.store import DONE, READY, Claim, Finished, Store
from signalpost.testing.store_contract.subject import Subject, claim, claim_keyed, record

THREADS = 4
#: Longest time that the threads of a test may take, in seconds.
DEADLINE = 60.0


class Together:
    """Workers never share a row, and a key is never in two hands."""

    def test_two_workers_never_share_a_row(self, subject: Subject) -> None:
        for _ in range(120):
            record(subject.store)
        found: list[int] = []

        def work(owner: str) -> bool:
            claimed = claim(subject.store, limit=7, owner=owner)
            found.extend(owed.id for owed in claimed.owed)
            assert subject.store.finish([Finished(owed, DONE) for owed in claimed.owed]) == 0
            return bool(claimed.owed)

        run_in_threads(subject, work)
        assert len(found) == len(set(found)) == 120
        assert subject.rows() == []

    def test_the_order_of_a_key_holds_across_claims_and_workers(self, subject: Subject) -> None:
        stores = [subject.store, subject.another(64)]
        recorded = [
            (f"key {number % 6}", record(stores[number % 2], key=f"key {number % 6}"))
            for number in range(90)
        ]
        found: dict[str, list[object]] = defaultdict(list)
        running: set[str] = set()
        lock = threading.Lock()
        failed: set[int] = set()

        def run(store: Store, claimed: Claim) -> None:
            keys = {str(owed.key) for owed in claimed.owed}
            with lock:
                assert not keys & running, "A key is in two hands"
                running.update(keys)
            results: list[Finished] = []
            held: set[str | None] = set()
            for owed in claimed.owed:
                fails = owed.id % 5 == 0 and owed.id not in failed
                if owed.key in held:
                    results.append(Finished(owed, READY, returned=True, blocked=True))
                elif fails:
                    failed.add(owed.id)
                    held.add(owed.key)
                    results.append(Finished(owed, READY, "no"))
                else:
                    results.append(Finished(owed, DONE))
                    found[str(owed.key)].append(owed.uid)
            with lock:
                running.difference_update(keys)
            assert store.finish(results, claimed.slots) == 0

        def work(owner: str) -> bool:
            store = stores[len(owner) % 2]
            claimed = claim_keyed(store, limit=10, owner=owner)
            run(store, claimed)
            store.reclaim()
            return bool(claimed.owed or subject.rows())

        run_in_threads(subject, work)
        assert subject.rows() == []
        assert failed
        for key, uids in found.items():
            assert uids == [uid for each, uid in recorded if each == key]


def run_in_threads(subject: Subject, work: Callable[[str], bool]) -> None:
    """Have workers work until each has found nothing; raises what the first has raised."""
    errors: list[BaseException] = []

    def run(owner: str) -> None:
        try:
            while work(owner) and not errors:
                pass
        except BaseException as error:  # noqa: BLE001 - raised in the test's own thread
            errors.append(error)
        finally:
            subject.end_thread()

    threads = [
        threading.Thread(target=run, args=("worker" + "+" * number,)) for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive(), "A worker hangs"
    if errors:
        raise errors[0]
