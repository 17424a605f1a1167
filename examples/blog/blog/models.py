"""A post, and the comments that its readers leave."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone

AUTHOR_MAX_LENGTH = 80
TEXT_MAX_LENGTH = 2000


class AlreadyPosted(Exception):
    """The form of this comment was sent before; `comment` is what it made then."""

    def __init__(self, comment: Comment) -> None:
        super().__init__(f"Comment {comment.pk} was made by the same submission.")
        self.comment = comment


class Post(models.Model):
    title = models.CharField(max_length=120)
    slug = models.SlugField(max_length=120, unique=True)
    body = models.TextField()
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-published_at", "-pk"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("blog:post", args=[self.slug])


class CommentQuerySet(models.QuerySet["Comment"]):
    def create(self, **values: Any) -> Comment:
        """Return the new comment; raise `AlreadyPosted` where its submission has made one already.

        The unique column decides, so both halves of a double click can't get in.
        """
        try:
            with transaction.atomic(using=self.db):
                return super().create(**values)
        except IntegrityError:
            submission = values.get("submission")
            earlier = submission and self.filter(submission=submission).first()
            if not earlier:
                raise
            raise AlreadyPosted(earlier) from None


class Comment(models.Model):
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments")
    author = models.CharField(max_length=AUTHOR_MAX_LENGTH)
    text = models.TextField(max_length=TEXT_MAX_LENGTH)
    posted_at = models.DateTimeField(auto_now_add=True)
    # One for each form that was shown: sending the same form twice makes one comment and one mail.
    submission = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["posted_at", "pk"]

    def __str__(self) -> str:
        return f"{self.author} on “{self.post}”: {self.text}"

    def get_absolute_url(self) -> str:
        return f"{self.post.get_absolute_url()}#comment-{self.pk}"
