"""The three files of the blog are what the first description of its signal shows, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

SIGNALS = """\
# signals.py

from django.dispatch import Signal

new_comment_added = Signal(providing_args=["comment"])
"""

RECEIVERS = """\
# receivers.py

from django.dispatch import receiver
from django.core.mail import send_mail
from .signals import new_comment_added

@receiver(new_comment_added)
def send_notification(sender, comment, **kwargs):
    subject = "New Comment Posted"
    message = f"A new comment has been posted on the blog: {comment}"
    send_mail(subject, message, "admin@example.com", ["admin@example.com"])
"""

VIEWS = """\
# views.py

from django.shortcuts import render
from .models import Comment
from .signals import new_comment_added

def add_comment(request):
    # Code to create a new comment
    comment = Comment.objects.create(...)
    new_comment_added.send(sender=Comment, comment=comment)
    return render(request, "add_comment.html")
"""


def test_signals_are_unchanged(blog_folder: Path) -> None:
    assert (blog_folder / "blog" / "signals.py").read_bytes() == SIGNALS.encode()


def test_receivers_are_unchanged(blog_folder: Path) -> None:
    assert (blog_folder / "blog" / "receivers.py").read_bytes() == RECEIVERS.encode()


def test_view_has_nothing_but_its_gap_filled_in(blog_folder: Path) -> None:
    view = (blog_folder / "blog" / "views.py").read_bytes()
    before, after = (part.encode() for part in VIEWS.split("...", 1))

    filled_in = view.removeprefix(before).removesuffix(after)

    assert view == before + filled_in + after
    assert re.fullmatch(rb"[^\n]+", filled_in)
    assert filled_in != b"..."
