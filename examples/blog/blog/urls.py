"""The addresses of the blog."""

from __future__ import annotations

from django.urls import path

from blog import pages, views
from blog.decorators import valid_comment_required

app_name = "blog"

urlpatterns = [
    path("", pages.post_list, name="posts"),
    path("posts/<slug:slug>/", pages.post_detail, name="post"),
    path(
        "posts/<slug:slug>/comments/", valid_comment_required(views.add_comment), name="add_comment"
    ),
]
