"""Each mistake of a beginner gets its message: what, where, what to do; nothing is half-written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from .mistakes import HEAD, MISTAKES, PAGE, Mistake, fresh_project, row, tell


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fresh_project(tmp_path_factory.mktemp("fresh") / "project")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_a_mistake_is_told_and_changes_nothing(
    mistake: Mistake, fresh: Path, tmp_path: Path, sealed_environment: None
) -> None:
    told = tell(mistake, fresh, tmp_path / "project")
    assert told.code == 2 and told.is_harmless
    assert "Traceback" not in told.message and len(told.message.splitlines()) <= 7
    assert row(mistake, told.message) in PAGE.read_text(), "python -m tests.first_hour.mistakes"
    assert not told.printed


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(mistake, id=mistake.title, marks=pytest.mark.long if n % 9 else ())
        for n, mistake in enumerate(MISTAKES)
        if mistake.command[0] != "ui"  # it has no such option
    ],
)
def test_with_json_it_is_told_in_a_document_too(
    mistake: Mistake, fresh: Path, tmp_path: Path, sealed_environment: None
) -> None:
    line = replace(mistake, command=(*mistake.command, "--json"))
    told = tell(line, fresh, tmp_path / "project")
    assert told.code == 2 and told.is_harmless
    document = json.loads(told.printed)
    assert document["exit_code"] == 2 and document["error"]
    assert document["message"] == told.message


def test_the_page_has_no_other_mistakes() -> None:
    lines = PAGE.read_text().splitlines()
    assert len(MISTAKES) >= 40
    assert len(lines) == len(HEAD.splitlines()) + len(MISTAKES)
