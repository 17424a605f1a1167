"""What a reader may send as a comment."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms

from blog.models import AUTHOR_MAX_LENGTH, TEXT_MAX_LENGTH, Post


class OneLineField(forms.CharField):
    """Text on one line: a name can't add lines of its own to the mail."""

    def to_python(self, value: Any) -> str:
        return " ".join((super().to_python(value) or "").split())


class ManyLinesField(forms.CharField):
    """Text with one character for each end of line, as browsers count it for `maxlength`."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")


class CommentForm(forms.Form):
    """A comment on one post; `cleaned_data` is what `Comment.objects.create` takes."""

    author = OneLineField(
        label="Your name",
        max_length=AUTHOR_MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    text = ManyLinesField(
        label="Your comment",
        max_length=TEXT_MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    submission = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput)

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.post = post

    def clean(self) -> dict[str, Any]:
        return {**self.cleaned_data, "post": self.post}
