"""What happens around a new comment, so that `views.add_comment` only has to add it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from blog.forms import CommentForm
from blog.models import AlreadyPosted, Post
from blog.pages import render_post


class CommentRequest(HttpRequest):
    """What the view gets: a POST whose form is valid."""

    comment_form: CommentForm


def valid_comment_required(
    view: Callable[[CommentRequest], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Call `view` only for a valid comment, with the form as `request.comment_form`.

    A GET goes to the post, and an invalid form comes back with its errors (422). A form that is
    sent twice (a reload of the answer, a double click) goes to the comment that it made the first
    time: the view answers the POST with a page of its own, so no redirect keeps the browser from
    sending it again.
    """

    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def checked(request: CommentRequest, slug: str) -> HttpResponse:
        post = get_object_or_404(Post, slug=slug)
        if request.method != "POST":
            return redirect(f"{post.get_absolute_url()}#write")
        form = CommentForm(request.POST, post=post)
        if not form.is_valid():
            return render_post(request, post, form=form, status=422)

        request.comment_form = form
        try:
            return view(request)
        except AlreadyPosted as earlier:
            return redirect(earlier.comment)

    return checked
