"""Models that django-simple-history keeps records of."""

from __future__ import annotations

from django.db import models
from simple_history.models import HistoricalRecords


class Author(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    title = models.CharField(max_length=50)
    authors = models.ManyToManyField(Author)
    history = HistoricalRecords(m2m_fields=[authors])

    def __str__(self) -> str:
        return self.title
