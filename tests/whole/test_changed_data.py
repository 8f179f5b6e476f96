"""Data that changed since a study pinned them: what only reads its results says so, and goes on."""

import json
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.stages.figures.items import response
from itemeval_assets.stages.figures.items.response import StudyResponses
from itemeval_assets.stages.items import changed_data
from tests.studies import write_study

SAID = (
    "'items.jsonl' changed since this study pinned it: these figures are of the data as they were;"
    " `run` tells which items changed."
)
READING = [
    ["status"],
    ["cells"],
    ["scores"],
    ["show", "q1"],
    ["compare"],
    ["reliability"],
    ["agreement"],
    ["items"],
    ["irt"],
    ["responses", "--grader", "numeric"],
]


def said_of(config: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What each command that reads results prints, without line breaks, and the report's page."""
    page = config.parent / "page.html"
    found = {}
    for name, *rest in [*READING, ["report", "--out", str(page)]]:
        capsys.readouterr()
        assert run_cli([name, str(config), *rest]) == 0
        found[name] = " ".join(capsys.readouterr().out.split())
    return {**found, "report": page.read_text()}


def test_each_command_that_reads_results_says_that_the_data_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It needs 30 conditions.
    fitted = StudyResponses(study="toy", policy="dev", level=0.95, model="2pl", by_grader=[])
    monkeypatch.setattr(response, "irt", lambda *_: fitted)
    config = write_study(tmp_path, items=2)
    assert not api.run(config).status.notes
    assert not any("as they were" in words for words in said_of(config, capsys).values())
    data = tmp_path / "items.jsonl"
    before = data.read_text()
    data.write_text(before.replace('"answer": 2', '"answer": 77'))
    said = said_of(config, capsys)
    once = "these figures are of the data as they were"
    assert {name: words.count(once) for name, words in said.items()} == dict.fromkeys(said, 1)
    for name, *rest in READING:
        capsys.readouterr()
        assert run_cli([name, str(config), *rest, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        one = found[0] if isinstance(found, list) else found
        assert one.get("notes", one.get("words"))[0] == SAID, name
    with monkeypatch.context() as patch:
        patch.setattr(changed_data, "_MOST_BYTES", 10)
        assert not api.status(config).notes
    data.unlink()
    assert not api.status(config).notes
    data.write_text(before)
    assert not api.status(config).notes


def test_accepted_changes_are_told_no_more(tmp_path: Path) -> None:
    config = write_study(tmp_path, items=2)
    api.run(config)
    data = tmp_path / "items.jsonl"
    data.write_text(data.read_text().replace('"answer": 2', '"answer": 77'))
    assert api.status(config).notes == [SAID]
    assert not api.run(config, accept_changes=True).status.notes
    assert not api.status(config).notes


def test_a_study_in_a_bucket_says_so_too(
    tmp_path: Path, s3_location: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_study(tmp_path, items=2, extra={"output_dir": s3_location})
    api.run(config)
    data = tmp_path / "items.jsonl"
    data.write_text(data.read_text().replace('"answer": 2', '"answer": 77'))
    for name, place in (("status", "notes"), ("scores", "words"), ("items", "notes")):
        capsys.readouterr()
        assert run_cli([name, str(config), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[place][0] == SAID
