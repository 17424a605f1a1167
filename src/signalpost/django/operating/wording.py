"""How the commands write what they found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from signalpost.django.operating.standing import Queue, Standing, Working

_STEPS = ((86_400, "d"), (3600, "h"), (60, "min"))


def age(seconds: float | None) -> str:
    """Seconds as people say them: ``12 s``, ``5 min``."""
    if seconds is None:
        return "-"
    for size, unit in _STEPS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def plural(count: int, one: str, many: str) -> str:
    """``1 delivery``, ``1,200 deliveries``."""
    return f"{count:,} {one if count == 1 else many}"


def deliveries(count: int) -> str:
    """The number of deliveries."""
    return plural(count, "delivery", "deliveries")


def as_text(found: Standing) -> str:
    """Two tables: the queues, and the workers."""
    return f"{_queues(found.queues)}\n\n{_workers(found.workers)}"


def _queues(queues: Sequence[Queue]) -> str:
    if not queues:
        return "Nothing is owed, and no durable receiver is connected."
    head = ("queue", "ready", "later", "claimed", "blocked", "dead", "oldest due", "")
    rows = [
        (
            queue.name,
            *(f"{n:,}" for n in (queue.ready, queue.later, queue.claimed)),
            *(f"{n:,}" for n in (queue.blocked, queue.dead)),
            age(queue.oldest_due_seconds),
            "paused" if queue.paused else "",
        )
        for queue in queues
    ]
    return _table([head, *rows], left=(0, 7))


def _workers(workers: Sequence[Working]) -> str:
    if not workers:
        return "No worker is running."
    head = ("worker", "queues", "pid", "running", "heartbeat", "done", "retried", "dead", "")
    rows = [
        (
            worker.name,
            "all" if worker.queues is None else ",".join(worker.queues),
            str(worker.pid),
            age(worker.running_seconds),
            f"{age(worker.heartbeat_seconds)} ago",
            *(f"{n:,}" for n in (worker.done, worker.retried, worker.dead)),
            "lost" if worker.is_lost else "",
        )
        for worker in workers
    ]
    return _table([head, *rows], left=(0, 1, 8))


def _table(rows: Iterable[Sequence[str]], left: Sequence[int]) -> str:
    listed = list(rows)
    widths = [max(len(row[i]) for row in listed) for i in range(len(listed[0]))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if i in left else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in listed
    )
