"""The page that shows one task twice does what it says, on a model server of its own."""

from pathlib import Path

import pytest

from .side_by_side import PAGE, followed
from .tutorial import commands, without_chance


@pytest.mark.long
def test_each_screen_of_the_page_is_real_and_the_scores_are_equal(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    made = followed(page, tmp_path)
    assert len(commands(page)) == 7
    assert without_chance(made) == without_chance(page), "python -m tests.first_hour.side_by_side"
    assert "60 scores, all as by inspect_ai: True" in made
