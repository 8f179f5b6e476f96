"""The tutorial does what it says: each command has the screen that stands below it."""

from pathlib import Path

from .tutorial import PAGE, Reader, commands, without_chance


def test_each_screen_of_the_tutorial_is_real(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    assert len(commands(page)) >= 12
    made = Reader(tmp_path).follow(page)
    assert without_chance(made) == without_chance(page), "python -m tests.first_hour.tutorial"
