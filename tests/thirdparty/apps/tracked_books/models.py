"""Models that django-model-utils watches."""

from __future__ import annotations

from django.db import models
from model_utils import Choices, FieldTracker
from model_utils.fields import MonitorField, StatusField
from model_utils.models import StatusModel, TimeFramedModel


class Book(models.Model):
    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=0)
    retitled_at = MonitorField(monitor="title")
    tracker = FieldTracker(fields=["title", "pages"])

    def __str__(self) -> str:
        return self.title


class Loan(TimeFramedModel, StatusModel):
    STATUS = Choices("lent", "returned")
    state = StatusField()

    def __str__(self) -> str:
        return self.state
