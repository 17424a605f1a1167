"""Posts and comments in Django's admin."""

from __future__ import annotations

from django.contrib import admin

from blog.models import Comment, Post


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ["title", "published_at"]
    prepopulated_fields = {"slug": ["title"]}
    search_fields = ["title", "body"]


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ["author", "post", "text", "posted_at"]
    list_select_related = ["post"]
    list_filter = ["post", "posted_at"]
    search_fields = ["author", "text"]
    readonly_fields = ["posted_at"]
