"""The pages to read: all posts, and one post with its comments and the form for the next one."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from blog.forms import CommentForm
from blog.models import Post


@require_safe
def post_list(request: HttpRequest) -> HttpResponse:
    """Return all posts, the newest first."""
    posts = Post.objects.annotate(comment_count=Count("comments"))
    return render(request, "blog/post_list.html", {"posts": posts})


@require_safe
def post_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Return one post with an empty form."""
    post = get_object_or_404(Post, slug=slug)
    return render_post(request, post, form=CommentForm(post=post))


def render_post(
    request: HttpRequest, post: Post, *, form: CommentForm, status: int = 200
) -> HttpResponse:
    """Return the page of `post` with `form` as it stands, errors included."""
    return render(request, "blog/post_detail.html", {"post": post, "form": form}, status=status)
