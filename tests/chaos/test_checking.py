"""A check that can't fail isn't one: each violation, made up, is seen, and alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.chaos.checking import Expected, Facts, Left, Sale, Verdict, judge
from tests.chaos.history import Event

LEASE = 2.0
EXPECTED = Expected(
    atomic=frozenset({"atomic", "keyed_atomic"}),
    ordered=frozenset({"keyed", "keyed_atomic"}),
    outside=frozenset({"plain", "keyed"}),
    poison="poison",
    poison_attempts=3,
)
BATCH = "worker-1/0/1"


@dataclass
class Story:
    """A run as it should be: two sales of one line, and a poison, delivered by one batch."""

    events: list[Event] = field(default_factory=list)
    sales: list[Sale] = field(
        default_factory=lambda: [Sale(1, False, "a", 1), Sale(2, False, "a", 2), Sale(9, True)]
    )
    effects: list[tuple[str, int]] = field(
        default_factory=lambda: [(r, n) for n in (1, 2) for r in ("atomic", "keyed_atomic")]
    )
    left: list[Left] = field(
        default_factory=lambda: [Left("poison", 9, "dead", 3, 3, "worker lost")]
    )
    messages: int = 3

    def batch(self, name: str, at: float, *runs: tuple[str, int], settled: float | None) -> Story:
        """Add a claim, its runs, and its end."""
        process = name.split("/", maxsplit=1)[0]
        self.events.append(Event("claimed", at, process, name, note=str(at)))
        for receiver, number in runs:
            delivery = f"{receiver}-{number}"
            self.events.append(Event("run", at, process, name, receiver, number, delivery, 1))
        if settled is not None:
            for receiver, number in runs:
                self.settle(name, receiver, number, settled)
        return self

    def settle(self, name: str, receiver: str, number: int, at: float) -> Story:
        delivery = f"{receiver}-{number}"
        process = name.split("/", maxsplit=1)[0]
        return self.add("settled", at, process, batch=name, delivery=delivery)

    def add(self, kind: str, at: float, process: str, **fields: object) -> Story:
        self.events.append(replaced(Event(kind, at, process), **fields))
        return self

    def judged(self) -> Verdict:
        facts = Facts(self.events, self.sales, self.effects, self.left, self.messages, LEASE)
        return judge(facts, EXPECTED)


ALL: Sequence[tuple[str, int]] = [("plain", 1), ("keyed", 1), ("plain", 2), ("keyed", 2)]


def replaced(event: Event, **fields: object) -> Event:
    return event._replace(**fields)


def good() -> Story:
    return Story().batch(BATCH, 0.0, *ALL, settled=0.1)


def broken(verdict: Verdict) -> dict[str, list[str]]:
    return {name: found for name, found in verdict.violations.items() if found}


def only(verdict: Verdict, name: str) -> str:
    """The one violation, which is of that kind."""
    assert set(broken(verdict)) == {name}, broken(verdict)
    assert not verdict.holds
    [text] = verdict.violations[name]
    return text


def test_run_as_it_should_be_holds() -> None:
    verdict = good().judged()
    assert broken(verdict) == {}
    assert verdict.holds
    assert verdict.numbers["duplicates outside"] == 0


def test_delivery_that_never_ran_is_lost() -> None:
    story = Story().batch(BATCH, 0.0, *ALL[1:], settled=0.1)
    assert only(story.judged(), "lost") == "plain 1: committed, never delivered"


def test_effect_that_is_missing_is_lost() -> None:
    story = good()
    story.effects.remove(("atomic", 2))
    assert only(story.judged(), "lost") == "atomic 2: committed, never delivered"


def test_poison_without_a_row_is_lost() -> None:
    story = good()
    story.left.clear()
    assert only(story.judged(), "lost") == "poison 9: it killed its workers, but its row is gone"


def test_run_of_what_was_never_committed_is_invented() -> None:
    story = Story().batch(BATCH, 0.0, *ALL, ("plain", 77), settled=0.1)
    assert only(story.judged(), "invented") == "plain 77: delivered, never committed"


def test_run_for_a_receiver_that_was_not_sent_to_is_invented() -> None:
    story = Story().batch(BATCH, 0.0, *ALL, ("plain", 9), settled=0.1)
    assert only(story.judged(), "invented") == "plain 9: delivered, never committed"


def test_effect_of_what_was_never_committed_is_invented() -> None:
    story = good()
    story.effects.append(("atomic", 77))
    assert only(story.judged(), "invented") == "atomic 77: has an effect, never committed"


def test_poison_that_was_never_committed_is_invented() -> None:
    story = good().add("poison", 0.2, "worker-2", receiver="poison", number=8)
    assert only(story.judged(), "invented") == "poison 8: delivered, never committed"


def test_another_payload_is_invented() -> None:
    story = good().add("mangled", 0.2, "worker-1", receiver="plain", number=1)
    assert only(story.judged(), "invented") == "plain 1: delivered with another payload"


def test_message_without_a_sale_is_invented() -> None:
    story = good()
    story.messages = 4
    assert only(story.judged(), "invented") == "4 messages of 3 sales"


def test_acknowledged_commit_that_is_gone_is_seen() -> None:
    story = good().add("committed", 0.0, "producer-1", number=5)
    text = only(story.judged(), "commits unlike the tables")
    assert text == "5: its commit was acknowledged, but it is not there"


def test_rolled_back_sale_that_is_there_is_seen() -> None:
    story = good().add("undone", 0.0, "producer-1", number=1)
    text = only(story.judged(), "commits unlike the tables")
    assert text == "1: it was rolled back, but is there"


def test_atomic_effect_that_happened_twice_is_seen() -> None:
    story = good()
    story.effects.append(("atomic", 1))
    assert only(story.judged(), "atomic effects twice") == "atomic 1: 2 effects"


def test_first_deliveries_in_another_order_are_seen() -> None:
    story = Story().batch(BATCH, 0.0, *reversed(ALL), settled=0.1)
    assert only(story.judged(), "out of order") == (
        "keyed 1: first delivered after a later one, at place 2 of a; its own is 1"
    )


def test_atomic_effects_in_another_order_are_seen() -> None:
    story = good()
    story.effects.reverse()
    assert only(story.judged(), "out of order").startswith("keyed_atomic 1: first delivered after")


def test_second_delivery_of_an_earlier_one_is_in_order() -> None:
    story = Story().batch("worker-2/0/1", 0.0, *ALL, settled=None).add("killed", 0.1, "worker-2")
    assert broken(story.batch(BATCH, 3.0, *ALL, settled=3.1).judged()) == {}


def test_delivery_that_was_recorded_twice_is_seen() -> None:
    story = Story().batch("worker-2/0/1", 0.0, ("plain", 1), settled=None)
    story.add("killed", 0.1, "worker-2").batch(BATCH, 3.0, *ALL, settled=3.1)
    story.events[1] = replaced(story.events[1], delivery="another")
    assert only(story.judged(), "recorded twice") == "plain 1: delivered under 2 ids"


def test_process_that_failed_is_seen() -> None:
    story = good().add("failed by itself", 1.0, "worker-2", note="exit code 70")
    assert only(story.judged(), "processes that failed") == "worker-2: exit code 70"


def test_worker_that_does_not_start_while_the_server_is_away_has_not_failed() -> None:
    story = good().add("restarting", 0.5, "server").add("restarted", 1.0, "server")
    assert (
        broken(story.add("failed by itself", 1.5, "worker-2", note="exit code 70").judged()) == {}
    )
    story.add("failed by itself", 4.0, "worker-3", note="exit code 70")
    assert only(story.judged(), "processes that failed") == "worker-3: exit code 70"


@pytest.mark.parametrize("state", ["ready", "claimed", "blocked", "dead", "done", "cancelled"])
def test_row_that_is_left_is_seen(state: str) -> None:
    story = good()
    story.left.append(Left("plain", 1, state, 1, 12, ""))
    assert only(story.judged(), "rows in a wrong state").endswith("it should have been settled")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"state": "ready"}, "a poison ends dead, with 'worker lost'"),
        ({"last_error": "ValueError"}, "a poison ends dead, with 'worker lost'"),
        ({"attempts": 2}, "its attempts are not used up"),
    ],
)
def test_poison_in_another_state_is_seen(wrong: dict[str, object], text: str) -> None:
    story = good()
    story.left[0] = story.left[0]._replace(**wrong)
    assert only(story.judged(), "rows in a wrong state").endswith(text)


def test_second_row_of_a_poison_is_seen() -> None:
    story = good()
    story.left *= 2
    assert only(story.judged(), "rows in a wrong state") == "poison 9: 2 rows"


def test_poison_that_was_begun_too_often_is_seen() -> None:
    story = good()
    for _ in range(4):
        story.add("poison", 0.2, "worker-2", receiver="poison", number=9)
    assert only(story.judged(), "rows in a wrong state") == "poison 9: begun 4 times"


# ---------------------------------------------------------------------------------- duplicates


def cut_off(*runs: tuple[str, int]) -> Story:
    """A batch that wasn't settled, and one that delivered everything a lease later."""
    story = Story().batch("worker-2/0/1", 0.0, *runs, settled=None)
    return story.batch(BATCH, 3.0, *ALL, settled=3.1)


def test_duplicate_of_what_was_in_flight_at_a_kill_is_in_the_budget() -> None:
    verdict = cut_off(("plain", 1), ("plain", 2)).add("killed", 0.1, "worker-2").judged()
    assert broken(verdict) == {}
    assert verdict.numbers["duplicates outside"] == 2
    assert verdict.numbers["budget of duplicates"] == 2


def test_duplicate_although_its_worker_lives_on_is_seen() -> None:
    verdict = cut_off(("plain", 1)).judged()
    assert set(broken(verdict)) == {"duplicates without a cause"}
    assert verdict.violations["duplicates without a cause"] == [
        "plain 1: run 2 times, in worker-2/0/1 (attempt 1), worker-1/0/1 (attempt 1)",
        "1 runs of worker-2/0/1 were not settled, by a worker that lived on",
        "1 in all, where 0 were in flight",
    ]


def test_duplicate_of_a_batch_that_was_over_at_the_kill_is_seen() -> None:
    story = Story().batch("worker-2/0/1", 0.0, ("plain", 1), settled=None)
    story.batch("worker-2/0/2", 0.1, settled=None).add("killed", 0.2, "worker-2")
    story.batch(BATCH, 3.0, *ALL, settled=3.1)
    assert set(broken(story.judged())) == {"duplicates without a cause"}


def test_duplicate_of_what_was_settled_is_seen() -> None:
    story = Story().batch("worker-2/0/1", 0.0, ("plain", 1), settled=0.1)
    story.add("killed", 0.1, "worker-2").batch(BATCH, 3.0, *ALL, settled=3.1)
    assert set(broken(story.judged())) == {"duplicates without a cause"}


def test_duplicate_of_the_one_that_was_settled_of_a_batch_is_seen() -> None:
    story = Story().batch("worker-2/0/1", 0.0, ("plain", 1), ("plain", 2), settled=None)
    story.settle("worker-2/0/1", "plain", 1, 0.1).add("killed", 0.2, "worker-2")
    story.batch(BATCH, 3.0, *ALL, settled=3.1)
    violations = story.judged().violations["duplicates without a cause"]
    assert [text.split(":")[0] for text in violations] == [
        "plain 1",
        "2 in all, where 1 were in flight",
    ]


def test_duplicate_in_one_batch_is_seen() -> None:
    story = Story().batch(BATCH, 0.0, *ALL, ("plain", 1), settled=0.1)
    assert set(broken(story.judged())) == {"duplicates without a cause"}


def test_duplicate_of_what_was_in_flight_at_a_restart_is_in_the_budget() -> None:
    story = cut_off(("plain", 1))
    story.add("restarting", 0.5, "server").add("restarted", 1.0, "server")
    assert broken(story.judged()) == {}


def test_duplicate_long_after_a_restart_is_seen() -> None:
    story = Story().batch("worker-2/0/1", 5.0, ("plain", 1), settled=None)
    story.batch(BATCH, 8.0, *ALL, settled=8.1)
    story.events[:0] = [Event("restarting", 0.5, "server"), Event("restarted", 1.0, "server")]
    assert set(broken(story.judged())) == {"duplicates without a cause"}


def zombie(settled: float, *, held_up: float = 0.0) -> Story:
    """A batch whose deliveries somebody else has had by the time it settles them."""
    story = Story().batch("worker-2/0/1", 0.0, ("plain", 1), settled=None)
    story.batch(BATCH, settled - 0.1, *ALL, settled=settled - 0.05)
    if held_up:
        story.add("held up", settled, "worker-2", note=str(held_up))
    story.add("lost", settled, "worker-2", batch="worker-2/0/1", attempt=1)
    return story.settle("worker-2/0/1", "plain", 1, settled)


def test_duplicate_of_a_lease_that_had_lapsed_is_in_the_budget() -> None:
    verdict = zombie(LEASE + 1, held_up=LEASE).judged()
    assert broken(verdict) == {}
    assert verdict.numbers["budget of duplicates"] == 1


@pytest.mark.parametrize(("settled", "held_up"), [(LEASE - 1, 1.0), (LEASE + 1, 0.0)])
def test_lease_that_was_lost_for_nothing_is_seen(settled: float, held_up: float) -> None:
    verdict = zombie(settled, held_up=held_up).judged()
    assert set(broken(verdict)) == {"leases lost for nothing", "duplicates without a cause"}
    assert verdict.violations["leases lost for nothing"] == [
        f"worker-2/0/1 lost 1 deliveries {settled:.2f} s after it had asked for them"
    ]


def test_result_that_the_server_may_have_committed_as_it_went_down_is_no_lost_lease() -> None:
    story = zombie(LEASE - 1).add("restarting", 0.5, "server").add("restarted", 0.6, "server")
    assert broken(story.judged()) == {}


def test_more_duplicates_than_results_came_too_late_are_seen() -> None:
    story = Story().batch("worker-2/0/1", 0.0, ("plain", 1), ("plain", 2), settled=None)
    story.batch(BATCH, 3.0, *ALL, settled=3.1)
    story.add("held up", 4.0, "worker-2", note="3.0")
    story.add("lost", 4.0, "worker-2", batch="worker-2/0/1", attempt=1)
    story.settle("worker-2/0/1", "plain", 1, 4.0).settle("worker-2/0/1", "plain", 2, 4.0)
    text = only(story.judged(), "duplicates without a cause")
    assert text == "2 in all, where 1 were in flight"
