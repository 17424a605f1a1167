"""How many deliveries a thread claims at once follows from how long they take."""

from __future__ import annotations

from signalpost.delivery.sizing import BUDGET, Size


def test_quick_ones_are_claimed_in_growing_numbers_up_to_the_most() -> None:
    size = Size(50)
    limits = [size.limit]
    for _ in range(4):
        size.learn(size.limit, size.limit, 0.001)
        limits.append(size.limit)

    assert limits == [10, 20, 40, 50, 50]


def test_slow_ones_are_claimed_in_half_of_what_was_begun() -> None:
    size = Size(50)
    size.learn(6, 10, BUDGET + 0.1)

    assert size.limit == 3


def test_one_is_claimed_however_slow_they_are() -> None:
    size = Size(50)
    for _ in range(5):
        size.learn(1, size.limit, 60.0)

    assert size.limit == 1


def test_few_that_are_due_say_nothing_of_how_many_could_be() -> None:
    size = Size(50)
    size.learn(2, 2, 0.001)

    assert size.limit == 10


def test_a_limit_that_slots_share_grows_though_none_of_them_fills_its_part() -> None:
    size = Size(100)
    size.learn(8, 8, 0.001)  # one of each of eight slots, of a limit of ten

    assert size.limit == 20
