"""The blog app. It doesn't import its receivers: `signalpost.django` finds them."""

from __future__ import annotations

from django.apps import AppConfig


class BlogConfig(AppConfig):
    name = "blog"
