"""What a person reads at the end of a run: certainty first, then troubles, then how to go on."""

import json
from pathlib import Path

import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.design.partitions import Partition
from itemeval_assets.core.grading.judges import judge
from itemeval_assets.runs.summary import Unparsed, often_unparsed
from itemeval_assets.stages.views.status import PartitionStatus, StudyStatus
from tests.studies import write_study


def status(*parts: tuple[str, int, int]) -> StudyStatus:
    """A study with these gradings: (grader, done, unparsed)."""
    grade = [
        PartitionStatus(Partition(("a", grader)), f"a | {grader}", 99, done=done, unparsed=unparsed)
        for grader, done, unparsed in parts
    ]
    return StudyStatus("toy", "dev", 1, 1, 0.0, [], grade)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([], []),
        ([("j", 0, 0)], []),
        ([("j", 95, 5)], []),
        ([("j", 94, 6)], [Unparsed("j", 6, 100)]),
        ([("j", 0, 1)], [Unparsed("j", 1, 1)]),
        (
            [("j", 100, 0), ("k", 1, 1), ("j", 84, 16)],
            [Unparsed("j", 16, 200), Unparsed("k", 1, 2)],
        ),
    ],
)
def test_more_than_a_twentieth_is_often(parts, found) -> None:
    assert often_unparsed(status(*parts)) == found


def test_unparsed_replies_are_told_with_the_command_that_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judges = {"babbler": {"model": "mockllm/babbler", "scale": [0, 1]}}
    config = str(write_study(tmp_path, graders=["babbler"], extra={"graders": judges}))
    monkeypatch.setattr(judge, "_mock_replies", lambda *scale: lambda quality: "I cannot say.")
    assert run_cli(["run", config]) == 0
    told = " ".join(capsys.readouterr().out.split())
    command = f"itemeval-assets cells {config} --state unparsed"
    assert "4 of 4 replies of babbler · strict could not be parsed (100%). See them: " in told
    assert f"{command}; the replies: itemeval-assets show {config} ITEM" in told
    assert told.count("could not be parsed") == 1
    assert told.index("% intervals") < told.index("could not be parsed") < told.index("ledger adds")
    assert run_cli(command.split()[1:]) == 0
    assert capsys.readouterr().out.count("unparsed") > 4
    assert run_cli(["run", config, "--json"]) == 0
    [one] = json.loads(capsys.readouterr().out)["unparsed"]
    assert one == {"graded_by": "babbler · strict", "unparsed": 4, "replies": 4, "why": None}


def test_what_a_policy_leaves_out_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write_study(tmp_path, items=4, replications=2, policy="dev", scorer="numeric"))
    assert run_cli(["run", config]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("Policy dev takes 2 of 4 items. All: ") == 1
    assert run_cli(["status", config, "--policy", "full-interactive"]) == 0
    assert "takes" not in capsys.readouterr().out


def test_it_ends_with_commands_that_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write_study(tmp_path, models=["mockllm/a", "mockllm/b"]))
    assert run_cli(["run", config]) == 0
    told = capsys.readouterr().out
    steps = told[told.index("next\n") :].splitlines()[1:]
    commands = [step.split("  ")[1].split() for step in steps]
    assert [command[1] for command in commands] == ["compare", "items", "report", "ui"]
    for command in commands[:3]:
        assert run_cli(command[1:]) == 0


def test_the_cells_go_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(write_study(tmp_path / "lab"))
    rows, page = tmp_path / "cells.csv", tmp_path / "cells.html"
    assert run_cli(["cells", config, "--out", str(rows)]) == 0
    lines = rows.read_text().splitlines()
    assert lines[0] == "condition,graded by,item,replication,state,stage,reason,score,study"
    assert len(lines) == 1 + api.count_cells(config).cells == 9
    assert run_cli(["cells", config, "--state", "done", "--out", str(rows)]) == 0
    assert rows.read_text().splitlines() == lines[:1]
    assert run_cli(["cells", config, "--out", str(page)]) == 0
    assert "<h1>Cells of toy</h1>" in page.read_text()
    capsys.readouterr()
    assert run_cli(["scores", config, "--out", str(tmp_path / "scores.csv")]) == 2
    assert "nothing is graded yet" in capsys.readouterr().err
    assert not (tmp_path / "scores.csv").exists()
    assert run_cli(["cells", config, "--out", "cells.txt"]) == 2
    assert "ends with .csv or .html" in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["--version"]) == 0
    assert capsys.readouterr().out == "itemeval-assets 0.1.0\n"


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli([]) == 2
    told = capsys.readouterr()
    assert "report" in told.out
    assert told.err == "error: name a command; see itemeval-assets --help\n"


def test_an_estimate_says_what_is_left_out_and_what_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = {"budget": {"max_usd": 0.00001, "confirm_above_usd": 0}}
    config = str(write_study(tmp_path, items=4, replications=2, policy="dev", extra=extra))
    assert run_cli(["estimate", config]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "policy dev takes 2 of 4 items and 2 of 2 replications" in told
    assert "a run of all this is refused: it may bring the study to $" in told
    assert run_cli(["run", config]) == 4
    capsys.readouterr()
    assert run_cli(["estimate", config, "--policy", "full-interactive", "--json"]) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert "is refused" in warnings[0] and "takes 2 of 4" not in " ".join(warnings)


def test_rows_that_are_not_shown_are_in_the_file_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write_study(tmp_path / "lab", items=50))
    rows = tmp_path / "c.csv"
    assert run_cli(["cells", config]) == 0
    assert "the command's `--out FILE.csv` has all" in " ".join(capsys.readouterr().out.split())
    assert run_cli(["cells", config, "--out", str(rows)]) == 0
    told = "".join(capsys.readouterr().out.split())
    assert f"here;{rows}hasall." in told and "FILE.csv" not in told


def test_an_estimate_of_nothing_has_no_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write_study(tmp_path / "lab", items=1))
    assert run_cli(["run", config]) == 0
    capsys.readouterr()
    assert run_cli(["estimate", config, "--errored"]) == 0
    told = capsys.readouterr().out
    assert "What is chosen has no calls of models." in told and "grid" not in told
