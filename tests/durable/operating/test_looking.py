"""`manage.py signalpost status`, `health` and `doctor`."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connections
from jsonschema import Draft202012Validator

from signalpost import Signal
from signalpost.delivery.store import Beat
from signalpost.django.models import Delivery, Pause, Worker
from signalpost.django.operating import databases, diagnosis
from signalpost.django.stores import store_for

ordered = Signal(name="tests.looking.ordered")
STATS = {"done": 5, "retried": 1, "dead": 0, "lease": 60}


def mail(**kwargs: Any) -> None: ...


@pytest.fixture
def connected(database: str, on: Any) -> str:
    on(ordered, durable="tests.mail", queue="mail", using=database)(mail)
    return database


def print_slowly(**kwargs: Any) -> None: ...


def send(count: int) -> None:
    for number in range(count):
        ordered.send(None, number=number)


def begin_worker(
    database: str, *queues: str, silent: float = 0.0, name: str = "host-1-abc", lease: float = 60
) -> None:
    """A worker's sign of life, so many seconds ago."""
    store = store_for(database)
    store.beat(Beat(name, "host", 1, "1.0", queues, STATS | {"lease": lease}))
    if silent:
        rows = Worker.objects.using(database)
        rows.update(heartbeat_at=rows.get().heartbeat_at - timedelta(seconds=silent))


def age(database: str, seconds: float, **changes: Any) -> None:
    """Have the deliveries been due for so long."""
    rows = Delivery.objects.using(database)
    due = rows.earliest("id").available_at - timedelta(seconds=seconds)
    rows.update(available_at=due, **changes)


def rows_of(text: str, *names: str) -> list[list[str]]:
    return [
        line.split() for line in text.splitlines() if line.split()[:1] and line.split()[0] in names
    ]


def test_status_counts_each_queue(run: Any, connected: str) -> None:
    send(6)
    rows = Delivery.objects.using(connected)
    ids = list(rows.values_list("id", flat=True).order_by("id"))
    for id_, state in zip(
        ids, ("ready", "ready", "claimed", "blocked", "dead", "ready"), strict=True
    ):
        rows.filter(id=id_).update(state=state)
    rows.filter(id=ids[-1]).update(available_at=datetime.now(UTC) + timedelta(hours=1))
    begin_worker(connected, "mail")
    out = run("status", "--database", connected).out
    assert rows_of(out, "queue", "mail") == [
        ["queue", "ready", "later", "claimed", "blocked", "dead", "oldest", "due"],
        ["mail", "2", "1", "1", "1", "1", "0", "s"],
    ]
    assert rows_of(out, "host-1-abc") == [
        ["host-1-abc", "mail", "1", "0", "s", "0", "s", "ago", "5", "1", "0"]
    ]


def schema(checkout: Path, name: str) -> Draft202012Validator:
    """The schema that the reference publishes."""
    text = (checkout / "docs" / "reference" / f"{name}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def test_json_is_what_the_schemas_say(run: Any, connected: str, checkout: Path) -> None:
    send(1)
    begin_worker(connected, "other", silent=100)
    for name in ("status", "doctor"):
        data = json.loads(run(name, "--format", "json", "--database", connected).out)
        schema(checkout, name).validate(data)


def test_schema_knows_all_that_the_doctor_finds(checkout: Path) -> None:
    source = Path(inspect.getfile(diagnosis)).read_text(encoding="utf-8")
    kinds = set(re.findall(r'(?:ERROR|WARNING),\s+"(\w+)",', source))
    finding = schema(checkout, "doctor").schema["properties"]["findings"]["items"]
    assert kinds == set(finding["properties"]["about"]["enum"])


def test_status_as_json(run: Any, connected: str) -> None:
    send(1)
    age(connected, 90)
    begin_worker(connected, silent=100)
    run("pause", "mail", "--database", connected)
    data = json.loads(run("status", "--format", "json", "--database", connected).out)
    [worker] = data["workers"]
    [queue] = [each for each in data["queues"] if each["name"] == "mail"]
    assert (data["version"], data["database"]) == (1, connected)
    assert 90 <= queue.pop("oldest_due_seconds") < 150
    assert queue == {
        "name": "mail",
        "ready": 1,
        "later": 0,
        "claimed": 0,
        "blocked": 0,
        "dead": 0,
        "paused": True,
    }
    assert 100 <= worker.pop("heartbeat_seconds") < 160
    assert 0 <= worker.pop("running_seconds") < 60
    assert worker == {
        "name": "host-1-abc",
        "host": "host",
        "pid": 1,
        "version": "1.0",
        "queues": None,
        "lost": True,
        **STATS,
    }


def test_status_of_nothing(run: Any, database: str) -> None:
    assert run("status", "--database", database).out.endswith("No worker is running.\n")


def test_health_is_0_where_workers_keep_up(run: Any, connected: str) -> None:
    begin_worker(connected)
    send(2)
    assert run("health", "--database", connected)[:2] == (0, "Healthy: 1 worker, 2 owed.\n")


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (
            ["--max-age", "60"],
            "Queue 'mail' is behind: its oldest delivery has been due for 2 min, and 60 s are allowed.",
        ),
        (["--max-dead", "0"], "1 delivery is dead, and 0 may be."),
    ],
)
def test_health_is_1_with_the_reason(
    run: Any, connected: str, args: list[str], reason: str
) -> None:
    begin_worker(connected)
    send(2)
    age(connected, 130)
    first = Delivery.objects.using(connected).earliest("id")
    Delivery.objects.using(connected).filter(id=first.id).update(state="dead")
    assert run("health", "--database", connected).code == 0
    assert run("health", *args, "--database", connected)[:2] == (1, f"{reason}\n")


def test_health_is_1_where_no_worker_lives(run: Any, connected: str) -> None:
    reason = "No worker has given a sign of life in the last 60 s.\n"
    assert run("health", "--database", connected)[:2] == (1, reason)
    begin_worker(connected, silent=61)
    assert run("health", "--database", connected)[:2] == (1, reason)


def test_health_is_1_where_a_queue_has_no_worker(run: Any, connected: str) -> None:
    begin_worker(connected, "other")
    send(1)
    reason = "Queue 'mail' has 1 delivery, and no worker works on it.\n"
    assert run("health", "--database", connected)[:2] == (1, reason)


def test_health_lets_a_paused_queue_wait(run: Any, connected: str) -> None:
    begin_worker(connected, "other")
    send(1)
    age(connected, 3600)
    Pause.objects.using(connected).create(lane="mail", since=datetime.now(UTC))
    assert run("health", "--database", connected).code == 0


def test_doctor_finds_nothing_where_all_is_well(run: Any, connected: str) -> None:
    begin_worker(connected)
    send(2)
    assert run("doctor", "--database", connected)[:2] == (
        0,
        f"Database '{connected}': nothing is wrong.\n",
    )


def found(run: Any, database: str) -> dict[str, tuple[str, str, str]]:
    """What the doctor finds, by what it is about; each is found once."""
    ran = run("doctor", "--format", "json", "--database", database)
    data = json.loads(ran.out)
    assert (data["version"], data["database"]) == (1, database)
    findings = {f["about"]: (f["level"], f["message"], f["hint"]) for f in data["findings"]}
    assert len(findings) == len(data["findings"])
    assert ran.code == (1 if findings else 0)
    return findings


def test_doctor_tells_of_keys_that_nobody_has(run: Any, connected: str) -> None:
    begin_worker(connected)
    send(3)
    Delivery.objects.using(connected).update(receiver="tests.mial")
    assert found(run, connected) == {
        "receivers": (
            "error",
            "3 deliveries are kept for receiver 'tests.mial' of signal 'tests.looking.ordered', which "
            "isn't connected under that key. Did you mean 'tests.mail'?",
            'If it was renamed, connect it with aliases=["tests.mial"]. If it is gone for good: '
            "manage.py signalpost cancel --receiver tests.mial",
        )
    }


def test_doctor_knows_a_renamed_receiver_by_its_alias(run: Any, database: str, on: Any) -> None:
    options = {"queue": "mail", "using": database, "aliases": ["tests.older"]}
    on(ordered, durable="tests.newer", **options)(mail)
    begin_worker(database)
    send(1)
    Delivery.objects.using(database).update(receiver="tests.older")
    assert found(run, database) == {}


def test_doctor_tells_of_queues_that_nobody_works_on(run: Any, connected: str) -> None:
    begin_worker(connected, "other", "more")
    send(1)
    assert found(run, connected) == {
        "queues": (
            "error",
            "Queue 'mail' has 1 delivery, and no worker works on it.",
            "Start one: manage.py signalpost worker --queue mail",
        )
    }


def test_doctor_tells_of_a_paused_queue(run: Any, connected: str) -> None:
    begin_worker(connected)
    send(1)
    run("pause", "mail", "--database", connected)
    assert found(run, connected) == {
        "paused": (
            "warning",
            "Queue 'mail' is paused, with 1 delivery.",
            "manage.py signalpost resume mail",
        )
    }


def test_doctor_tells_of_dead_deliveries(run: Any, connected: str) -> None:
    begin_worker(connected)
    send(2)
    Delivery.objects.using(connected).update(state="dead")
    assert found(run, connected) == {
        "dead": (
            "warning",
            "2 deliveries to 'tests.mail' are dead.",
            "See last_error in the admin, or in signalpost_delivery. Then: manage.py signalpost retry "
            "--receiver tests.mail, or cancel",
        )
    }


def test_doctor_tells_of_lost_workers(run: Any, connected: str) -> None:
    begin_worker(connected, silent=600)
    assert found(run, connected) == {
        "workers": (
            "warning",
            "Worker 'host-1-abc' gave its last sign of life 10 min ago, and has not said that it ended.",
            "See whether process 1 on host hangs. If it was killed, nothing is lost: others take over. "
            "manage.py signalpost prune forgets it after a day.",
        )
    }


def test_doctor_tells_of_leases_that_nobody_takes_over(run: Any, connected: str) -> None:
    begin_worker(connected)
    send(1)
    store_for(connected).claim("mail", limit=1, owner="w", lease=-60)
    assert found(run, connected) == {
        "lapsed": (
            "error",
            "1 delivery has a lease that has lapsed, and no worker takes over.",
            "Start a worker: whichever queue it works on, it makes them ready again.",
        )
    }


def test_doctor_tells_of_timeouts_beyond_the_lease(run: Any, connected: str, on: Any) -> None:
    begin_worker(connected)
    on(ordered, durable="tests.slow", using=connected, timeout=90)(print_slowly)
    assert found(run, connected) == {
        "leases": (
            "warning",
            "Receiver 'tests.slow' may run for 90 s, its timeout, but a worker's lease is 60 s: while a "
            "worker that is frozen, or cut off from the database, still runs it, another begins it too.",
            'Set SIGNALPOST["LEASE"], or the workers\' --lease, to 90 or more, which is how long the '
            "work of a worker that was killed waits, or give the receiver a shorter timeout=.",
        )
    }


def test_doctor_goes_by_the_shortest_lease_of_the_workers(
    run: Any, connected: str, on: Any
) -> None:
    begin_worker(connected, lease=120)
    on(ordered, durable="tests.slow", using=connected, timeout=90)(print_slowly)
    assert found(run, connected) == {}

    begin_worker(connected, name="host-2-def", lease=30)
    level, message, _ = found(run, connected)["leases"]
    assert level == "warning"
    assert "a worker's lease is 30 s" in message


@pytest.mark.parametrize(("seconds", "text"), [(-60, "60 s behind"), (8000, "2 h ahead of")])
def test_doctor_compares_the_clocks(
    run: Any, connected: str, monkeypatch: pytest.MonkeyPatch, seconds: float, text: str
) -> None:
    begin_worker(connected)
    real = databases.database_time
    monkeypatch.setattr(
        databases, "database_time", lambda store: real(store) + timedelta(seconds=seconds)
    )
    level, message, hint = found(run, connected)["clocks"]
    assert (level, message) == (
        "warning",
        f"The clock of database '{connected}' is {text} this machine's.",
    )
    assert hint.startswith("Have both set by NTP.")


@contextmanager
def without_a_table(database: str) -> Iterator[None]:
    connection: Any = connections[database]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE signalpost_pause RENAME TO signalpost_hidden")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE signalpost_hidden RENAME TO signalpost_pause")


def test_doctor_tells_of_missing_tables(run: Any, connected: str) -> None:
    with without_a_table(connected):
        findings = found(run, connected)
    assert findings == {
        "tables": (
            "error",
            f"Database '{connected}' has no table signalpost_pause.",
            f"Make them: manage.py migrate signalpost --database {connected}",
        )
    }


@pytest.mark.parametrize(
    "args",
    [
        ["status"],
        ["health"],
        ["worker", "--once"],
        ["prune"],
        ["retry", "--all"],
        ["cancel", "--all"],
        ["replay", "1"],
        ["pause", "mail"],
        ["resume", "mail"],
    ],
    ids=lambda args: args[0],
)
def test_missing_tables_are_told_of_with_the_cure(
    run: Any, args: list[str], connected: str
) -> None:
    with without_a_table(connected), pytest.raises(CommandError) as refused:
        run(*args, "--database", connected)
    assert str(refused.value) == (
        f"Database '{connected}' has no tables for durable deliveries. Make them: manage.py migrate "
        f"signalpost --database {connected}"
    )


@pytest.fixture
def gone(database: str) -> Iterator[str]:
    """A database on a port where nobody answers."""
    if database != "postgres":
        pytest.skip("one server that isn't there is as good as another")
    settings: Any = connections.settings
    settings["gone"] = {**settings["postgres"], "HOST": "127.0.0.1", "PORT": "1"}
    yield "gone"
    del settings["gone"]
    del connections["gone"]


def test_database_that_is_away_is_told_of(run: Any, gone: str) -> None:
    [(about, (level, message, hint))] = found(run, gone).items()
    assert (about, level) == ("database", "error")
    assert message.startswith("Database 'gone' can't be reached: ")
    assert hint == "See whether it runs, and what DATABASES says of it."
    with pytest.raises(CommandError, match=r"^Database 'gone' can't be reached: "):
        run("status", "--database", gone)
