from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.history import SIZE, Event, History, read


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    with History(tmp_path / "history") as history:
        history.note("run", "worker-1", at=1.5, batch="b", receiver="r", number=7, attempt=2)
        history.note("trouble", "worker-1", at=2.0, note="two\nlines\tand № more " + "x" * 500)
    first, second = read(tmp_path / "history")
    assert first == Event("run", 1.5, "worker-1", "b", "r", 7, "", 2, "")
    assert second.note.startswith("two lines and ? more xxx")
    assert (tmp_path / "history").stat().st_size == 2 * SIZE


def test_record_never_crosses_a_page() -> None:
    assert 4096 % SIZE == 0


def test_record_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with History(tmp_path / "history") as history:
        history.note("run", "worker-1")
    with (tmp_path / "history").open("ab") as file:
        file.write(b"half")
    with pytest.raises(ValueError, match="has a record that isn't whole: b'half'"):
        list(read(tmp_path / "history"))
