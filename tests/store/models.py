from __future__ import annotations

import uuid

from django.db import models

from signalpost.django.before import FieldChangesMixin
from signalpost.django.bulk import BulkSignalsManager


class Customer(models.Model):
    name = models.CharField(max_length=50, unique=True)

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """Has a field of each kind that a change of it is special for."""

    status = models.CharField(max_length=20, default="open")
    total = models.IntegerField(default=0)
    paid = models.BooleanField(default=False)
    details = models.JSONField(default=dict)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True)
    invoice = models.FileField(blank=True)
    tags = models.ManyToManyField(Customer, related_name="tagged")

    def __str__(self) -> str:
        return f"{self.status} order"


class PriorityOrder(Order):
    """A child, in a table of its own."""

    deadline = models.IntegerField(default=1)


class OrderProxy(Order):
    class Meta:
        proxy = True


class Token(models.Model):
    """Its key has a default: `save` inserts a new one without looking."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    value = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.value


class Remembering(FieldChangesMixin, models.Model):
    status = models.CharField(max_length=20, default="open")
    details = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.status


class Item(models.Model):
    """Its manager sends signals for bulk writes."""

    name = models.CharField(max_length=20)
    stock = models.IntegerField(default=0)

    objects = BulkSignalsManager()

    def __str__(self) -> str:
        return self.name
