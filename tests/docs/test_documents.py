"""The runner of the documentation's examples: it has to fail where an example is wrong."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db.models.signals import post_init
from sybil.example import SybilFailure

from tests.docs import documents
from tests.docs.conftest import signals_restored

pytestmark = pytest.mark.usefixtures("tidy_process")

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_page(text: str) -> Path:
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        return page

    return write_page


def test_wrong_output_of_a_session_fails(write: Write) -> None:
    page = write("```pycon\n>>> 1 + 1\n3\n```\n")

    with pytest.raises(SybilFailure, match="line 2"):
        documents.run(page)


def test_error_in_a_block_is_raised(write: Write) -> None:
    page = write("```python\nassert 1 + 1 == 3\n```\n")

    with pytest.raises(AssertionError):
        documents.run(page)


def test_blocks_and_sessions_share_the_page(write: Write) -> None:
    page = write("```python\ntwo = 2\n```\n\n```pycon\n>>> two\n2\n```\n")

    assert documents.run(page) == 2


def test_file_blocks_import_each_other(write: Write) -> None:
    page = write(
        "```python\n# shop/prices.py\nprice = 3\n```\n"
        "```python\n# shop/basket.py\nfrom .prices import price\ntotal = 2 * price\n```\n"
        "```pycon\n>>> from shop.basket import total\n>>> total\n6\n```\n"
    )

    assert documents.run(page) == 4


def test_file_without_a_folder_belongs_to_the_blog(write: Write) -> None:
    page = write(
        "```python\n# counts.py\nfrom .models import Comment\nn = Comment.objects.count()\n```\n"
        "```pycon\n>>> from blog.counts import n\n>>> n\n0\n```\n"
    )

    assert documents.run(page) == 3


def test_files_of_a_page_are_gone_after_it(write: Write) -> None:
    signals = importlib.import_module("blog.signals")
    page = write(
        "```python\n# shop/prices.py\nprice = 3\n```\n```python\n# signals.py\nnone = 0\n```\n"
    )

    documents.run(page)

    assert "shop" not in sys.modules
    assert "shop.prices" not in sys.modules
    assert sys.modules["blog.signals"] is signals


def test_skipped_block_is_not_run(write: Write) -> None:
    page = write('<!-- skip: next "it would divide by zero" -->\n```python\n1 / 0\n```\n')

    assert documents.run(page) == 0


def test_receivers_of_a_page_are_gone_after_it(write: Write) -> None:
    page = write(
        "```python\n"
        "from django.contrib.contenttypes.models import ContentType\n"
        "from django.db.models.signals import post_init\n"
        "def count(sender, **kwargs): heard.append(sender)\n"
        "heard = []\n"
        "post_init.connect(count, weak=False)\n"
        "ContentType()\n"
        "assert heard == [ContentType]\n"
        "```\n"
    )

    with signals_restored():
        documents.run(page)

    assert not post_init.has_listeners(ContentType)
