"""A document is written whole, or one sentence says why not."""

from pathlib import Path

import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.report.render.document import Document, write_document


@pytest.mark.parametrize("letters", [252, 300, 5000])
def test_a_name_that_the_disk_refuses_is_one_sentence(tmp_path: Path, letters: int) -> None:
    with pytest.raises(ConfigError, match=r"cannot be written: File name too long$"):
        write_document(Document("Title", ["Text."]), tmp_path / f"{'x' * letters}.csv", "toy")
    assert not list(tmp_path.iterdir())


def test_the_longest_name_that_the_disk_allows_is_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 251}.csv"
    write_document(Document("Title", ["Text."]), path, "toy")
    assert list(tmp_path.iterdir()) == [path]
