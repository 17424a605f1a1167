"""Two posts to comment on, so that a new blog isn't empty."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import migrations

POSTS = [
    {
        "slug": "what-a-signal-is-for",
        "title": "What a signal is for",
        "published_at": datetime(2024, 5, 6, 9, 0, tzinfo=UTC),
        "body": (
            "A blog has one thing to say when a reader comments: a new comment was added. Who cares "
            "about it is not the view's business. Today it is a mail to the admin; next month it may "
            "be a counter, a search index, a spam filter.\n\n"
            "A signal is that sentence, said out loud. The view sends it once. Whoever wants to hear "
            "it connects a receiver, in an app of its own, and the view never learns of it."
        ),
    },
    {
        "slug": "signals-delivered",
        "title": "Signals, delivered",
        "published_at": datetime(2024, 5, 13, 9, 0, tzinfo=UTC),
        "body": (
            "Write a comment below. The view saves it and sends new_comment_added; one receiver hears "
            "that and writes a mail to the admin. Neither of them imports the other.\n\n"
            "This page, the mail and three small files between them are all there is. Change one, "
            "and see what the others notice."
        ),
    },
]


def add_posts(apps: Any, schema_editor: Any) -> None:
    """Add the posts to the database that is being migrated."""
    post_model = apps.get_model("blog", "Post")
    posts = [post_model(**post) for post in POSTS]
    post_model.objects.using(schema_editor.connection.alias).bulk_create(posts)


class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]

    operations = [migrations.RunPython(add_posts, migrations.RunPython.noop)]
