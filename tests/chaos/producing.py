"""A producer: commits sales together with their sends, rolls some back, and dies in the middle of others."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection, transaction

from tests.chaos.models import Line, Sale
from tests.chaos.processes import when_asked
from tests.chaos.receivers import LINES, poisoned, sold, text_of
from tests.chaos.telling import tell

#: Where a producer may kill itself, and how much of its transactions do.
MOMENTS = ("before the send", "after the send", "around the commit", "after the commit")
DEATHS = 0.02
#: The longest pause between two transactions, in seconds.
PAUSE = 0.06


class Undone(Exception):
    """Rolls a transaction back."""


class Producer:
    """Produces until it is asked to stop. `first` is the lowest number of its sales."""

    def __init__(self, first: int, chance: random.Random, *, poisons: int = 0) -> None:
        self.numbers = itertools.count(first)
        self.chance = chance
        self.poisons = poisons
        self.stopping = False

    def run(self) -> None:
        """Produce, whatever becomes of the database meanwhile."""
        while not self.stopping:
            try:
                self._produce()
            except (DatabaseError, InterfaceError) as error:
                # Restarted under us, or a deadlock. Whether it was committed, the rows know.
                tell("trouble", note=f"producer: {type(error).__name__}: {error}"[:100])
                connection.close()
                time.sleep(0.1)
            time.sleep(self.chance.random() * PAUSE)
        connection.close()

    def _produce(self) -> None:
        dies = self.chance.choice(MOMENTS) if self.chance.random() < DEATHS else ""
        undone = self.chance.random() < 0.15
        if self.poisons:
            self.poisons -= 1
            self._transact("", self._poison, undone=False)
        else:
            self._transact(dies, self._sell, undone=undone)

    def _transact(self, dies: str, work: Callable[[str], list[int]], *, undone: bool) -> None:
        numbers: list[int] = []
        try:
            with transaction.atomic():
                numbers = work(dies)
                if undone:
                    raise Undone  # noqa: TRY301 - as a view's error would
                if dies == "around the commit":
                    _die_soon(self.chance.random() * 0.004)
        except Undone:
            for number in numbers:
                tell("undone", number=number)
            return
        if dies == "after the commit":
            _die()
        for number in numbers:
            tell("committed", number=number)

    def _sell(self, dies: str) -> list[int]:
        """One sale or a few, some of which are taken back by themselves."""
        # In one order, or two producers that each hold what the other wants are a deadlock.
        lines = sorted(self.chance.sample(LINES, self.chance.choice((1, 1, 1, 2, 3))))
        sales = [self._sell_on(line, dies) for line in lines]
        if self.chance.random() < 0.1:
            try:
                with transaction.atomic():
                    number = self._sell_on(lines[0], dies)
                    raise Undone  # noqa: TRY301 - the same
            except Undone:
                tell("undone", number=number)
        return sales

    def _sell_on(self, name: str, dies: str) -> int:
        number = next(self.numbers)
        line = Line.objects.select_for_update().get(name=name)
        line.last += 1
        line.save(update_fields=["last"])
        Sale.objects.create(number=number, line=name, place=line.last)
        if dies == "before the send":
            _die()
        sold.send(None, number=number, line=name, text=text_of(number))
        if dies == "after the send":
            _die()
        return number

    def _poison(self, dies: str) -> list[int]:
        number = next(self.numbers)
        Sale.objects.create(number=number, poison=True)
        poisoned.send(None, number=number)
        return [number]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_soon(seconds: float) -> None:
    """Die while this thread goes on with what it does."""
    threading.Timer(seconds, _die).start()


def produce(first: int, seed: str, poisons: int) -> None:
    """What a producer's process does."""
    producer = Producer(first, random.Random(seed), poisons=poisons)

    def stop() -> None:
        producer.stopping = True

    when_asked(stop)
    producer.run()
