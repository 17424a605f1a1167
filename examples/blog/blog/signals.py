# signals.py

from django.dispatch import Signal

new_comment_added = Signal(providing_args=["comment"])
