"""The shop of the chaos: what producers commit, and what receivers do to it."""

from __future__ import annotations

from django.db import models


class Line(models.Model):
    """What producers serialise on: its row is locked until the sale is committed."""

    name = models.CharField(max_length=50, primary_key=True)
    last = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Sale(models.Model):
    """What was sent, in the same transaction: the truth that deliveries are compared with."""

    number = models.BigIntegerField(primary_key=True)
    poison = models.BooleanField(default=False)
    line = models.CharField(max_length=50, default="")
    #: Its place among the sales of its line, in the order of the commits.
    place = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"sale {self.number}"


class Effect(models.Model):
    """What an atomic receiver has done. Nothing makes it unique, so that a double shows."""

    receiver = models.CharField(max_length=50)
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.receiver} {self.number}"
