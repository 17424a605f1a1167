# receivers.py

from django.dispatch import receiver
from django.core.mail import send_mail
from .signals import new_comment_added

@receiver(new_comment_added)
def send_notification(sender, comment, **kwargs):
    subject = "New Comment Posted"
    message = f"A new comment has been posted on the blog: {comment}"
    send_mail(subject, message, "admin@example.com", ["admin@example.com"])
