"""The tables of durable delivery. Written and claimed by `signalpost.django.stores`, in SQL.

`signal` and `key` are reserved words of MariaDB and MySQL, which also build an index whole where it
has a condition: see `signalpost.django.indexes`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from signalpost.delivery.store import BLOCKED, CANCELLED, CLAIMED, DEAD, DONE, READY, UNKEYED
from signalpost.django.indexes import StateIndex

# The types of fields are worked out by mypy's plugin for Django, which pyright hasn't: so they are Any.
# pyright: reportUnknownVariableType=false


class Message(models.Model):
    """What was sent, once for all receivers."""

    id: Any = models.BigAutoField(primary_key=True)
    uid: Any = models.UUIDField(unique=True)
    topic: Any = models.CharField(max_length=255, help_text="The name of the signal.")
    version: Any = models.PositiveSmallIntegerField(default=1)
    ordering_key: Any = models.CharField(max_length=255, null=True)  # noqa: DJ001 - none isn't empty
    body: Any = models.TextField(help_text="The sender and the payload, as canonical JSON.")
    headers: Any = models.TextField(help_text="The context of the sender, as canonical JSON.")
    created_at: Any = models.DateTimeField()

    class Meta:
        indexes: ClassVar[Any] = [
            models.Index(fields=["topic", "id"], name="signalpost_message_topic"),
            models.Index(fields=["created_at"], name="signalpost_message_created"),
        ]
        # Asked by the admin.
        permissions: ClassVar[Any] = [
            ("replay_message", "Can replay message"),
            ("view_payload", "Can view the payload of messages"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.uid}"


class Delivery(models.Model):
    """What one receiver is owed."""

    class State(models.TextChoices):
        READY = READY
        CLAIMED = CLAIMED
        BLOCKED = BLOCKED
        DONE = DONE
        DEAD = DEAD
        CANCELLED = CANCELLED

    id: Any = models.BigAutoField(primary_key=True)
    message: Any = models.ForeignKey(Message, models.CASCADE, related_name="deliveries")
    receiver: Any = models.CharField(max_length=255, help_text="The key of the receiver.")
    lane: Any = models.CharField(max_length=100, help_text="The queue.")
    slot: Any = models.IntegerField(default=UNKEYED)
    ordering_key: Any = models.CharField(max_length=255, null=True)  # noqa: DJ001 - none isn't empty
    state: Any = models.CharField(max_length=10, choices=State.choices, default=READY)
    attempts: Any = models.PositiveSmallIntegerField(default=0)
    max_attempts: Any = models.PositiveSmallIntegerField()
    available_at: Any = models.DateTimeField()
    lease_until: Any = models.DateTimeField(null=True)
    fence: Any = models.BigIntegerField(default=0)
    claimed_by: Any = models.CharField(max_length=100, default="")
    last_error: Any = models.TextField(default="")
    settled_at: Any = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        # Asked by the admin.
        permissions: ClassVar[Any] = [
            ("requeue_delivery", "Can requeue delivery"),
            ("cancel_delivery", "Can cancel delivery"),
        ]
        constraints: ClassVar[Any] = [
            models.UniqueConstraint(fields=["message", "receiver"], name="signalpost_delivery_once")
        ]
        indexes: ClassVar[Any] = [
            StateIndex(
                fields=["lane", "slot", "available_at", "id"],
                condition=Q(state=READY),
                name="signalpost_delivery_ready",
            ),
            StateIndex(
                fields=["lane", "slot", "id"],
                condition=Q(state=READY, ordering_key__isnull=False),
                name="signalpost_delivery_keyed",
            ),
            StateIndex(
                fields=["lease_until"],
                condition=Q(state=CLAIMED),
                name="signalpost_delivery_claimed",
            ),
            # For each key the first in each state; the dead without a key too, for those who look.
            models.Index(
                fields=["state", "receiver", "ordering_key", "id"],
                condition=Q(ordering_key__isnull=False) | Q(state=DEAD),
                name="signalpost_delivery_key",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.receiver} {self.state}"


class Slot(models.Model):
    """A share of the keys of a lane, held by one worker at a time."""

    id: Any = models.BigAutoField(primary_key=True)
    lane: Any = models.CharField(max_length=100)
    slot: Any = models.IntegerField()
    fence: Any = models.BigIntegerField(default=0)
    owner: Any = models.CharField(max_length=100, default="")
    lease_until: Any = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[Any] = [
            models.UniqueConstraint(fields=["lane", "slot"], name="signalpost_slot_once")
        ]

    def __str__(self) -> str:
        return f"{self.lane} {self.slot}"


class Worker(models.Model):
    """A worker's latest sign of life, for those who look."""

    name: Any = models.CharField(max_length=100, primary_key=True)
    host: Any = models.CharField(max_length=255)
    pid: Any = models.IntegerField()
    version: Any = models.CharField(max_length=50)
    lanes: Any = models.TextField(help_text="The queues that it works on, as JSON; empty: all.")
    started_at: Any = models.DateTimeField()
    heartbeat_at: Any = models.DateTimeField()
    stats: Any = models.TextField(default="{}", help_text="Counts since its start, as JSON.")

    def __str__(self) -> str:
        return str(self.name)


class Pause(models.Model):
    """A queue that an operator has paused."""

    lane: Any = models.CharField(max_length=100, primary_key=True)
    since: Any = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.lane)
