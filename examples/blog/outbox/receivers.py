"""The blog's own receiver, connected durably: `signalpost.django` imports this as it does blog/receivers.py."""

from __future__ import annotations

from blog.receivers import send_notification
from blog.signals import new_comment_added

from signalpost import receiver

# The blog has connected it to run in the request, and a connection keeps the options that it has.
new_comment_added.disconnect(send_notification)
receiver(new_comment_added, durable=True)(send_notification)
