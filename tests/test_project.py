"""Scaffolding and the quickstart, as a new user meets them."""

import importlib.util
import re
import shlex
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from itemeval_assets import api, figures, project
from itemeval_assets.cli.main import run_cli
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables.schemas import GRADINGS_LONG


# In short, tests/test_docs.py runs the one of the README.
@pytest.mark.long
def test_init_makes_a_project_that_runs_at_once(tmp_path):
    project.init(tmp_path / "mine")
    summary = api.run(tmp_path / "mine" / "study.yaml")
    assert summary.calls == 48 + 48 and not summary.errored and not summary.failed_checks
    assert (tmp_path / "mine" / "dagster_home" / "dagster.yaml").exists()


@pytest.mark.parametrize("before", [None, "", "*.log", "/studies/\n"])
def test_git_does_not_see_what_a_study_makes(tmp_path, before):
    """Lines of a .gitignore that is there already stay; none is written twice."""
    if before is not None:
        (tmp_path / ".gitignore").write_text(before)
    project.init(tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in ("studies/my_study/items.parquet", "dagster_home/history/runs.db", "a.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    seen = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain", "--untracked-files=all"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "dagster_home/dagster.yaml" in seen and "study.yaml" in seen
    assert "studies/" not in seen and "history" not in seen
    assert ("a.log" in seen) == (before != "*.log")
    lines = (tmp_path / ".gitignore").read_text().splitlines()
    assert lines.count("/studies/") == 1


def test_init_overwrites_nothing(tmp_path):
    (tmp_path / "study.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"study\.yaml: already there"):
        project.init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


WAYS = (["init"], ["quickstart", "--mock"])


def told(capsys, way, folder):
    """The message of a command that ends with exit code 2, in one line."""
    assert run_cli([*way[:1], str(folder), *way[1:]]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said.replace("\n", "")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["file", "file/sub", "file/sub/deeper", "/proc/x", "/proc/x/y"])
def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys, way, name):
    (tmp_path / "file").write_text("mine")
    said = told(capsys, way, tmp_path / name)
    assert f"cannot write {tmp_path / name}" in said and "choose another folder" in said
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fails_at", range(1, 6))
def test_a_disk_that_is_full_leaves_nothing_half_written(
    tmp_path, monkeypatch, capsys, way, fails_at
):
    """The same command goes on once there is room."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "notes.txt").write_text("mine")
    count, write = 0, Path.write_bytes

    def full(path, data):
        nonlocal count
        count += 1
        write(path, data[: len(data) // 2] if count == fails_at else data)
        if count == fails_at:
            raise OSError(28, "No space left on device", str(path))
        return len(data)

    folder = tmp_path / "here" / "a" / "b"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        if way == ["init"] or fails_at < 5:
            said = told(capsys, way, folder)
            assert f"cannot write {folder}" in said and "No space left on device" in said
            assert [path.name for path in (tmp_path / "here").rglob("*")] == ["notes.txt"]
    if way == ["init"]:
        assert run_cli(["init", str(folder)]) == 0
    else:
        assert project.quickstart_config(folder, mock=True).is_file()


def test_init_in_a_path_that_dagster_cannot_use_writes_nothing(tmp_path, capsys):
    assert "rename the folder" in told(capsys, ["init"], tmp_path / "a?b")
    assert list(tmp_path.iterdir()) == []


def test_init_keeps_a_history_that_is_there(tmp_path):
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home" / "dagster.yaml").write_text("telemetry: {enabled: false}")
    assert tmp_path / "dagster_home" / "dagster.yaml" in project.init(tmp_path)
    assert "enabled" in (tmp_path / "dagster_home" / "dagster.yaml").read_text()
    assert (tmp_path / "study.yaml").is_file()


def test_quickstart_on_mock_models(tmp_path):
    first = project.quickstart(tmp_path / "q", mock=True)
    assert first.run.calls > 12 and first.errored == 0
    assert {row["graded_by"] for row in first.scores} >= {"numeric"}
    same = figures.scores(first.config).rows
    assert [
        asdict(row).items() <= row_told.items()
        for row, row_told in zip(same, first.scores, strict=True)
    ] == [True] * 4
    for row in first.scores:
        assert 0 <= row["low"] <= row["mean_score"] == row["mean"] <= row["high"] <= 1
        assert row["usd"] >= 0
    frame = api.table(first.config, "gradings_long")
    assert list(frame.columns) == GRADINGS_LONG.column_names
    assert project.quickstart(tmp_path / "q", mock=True).run.calls == 0


def test_what_is_printed_next_can_be_run(tmp_path, monkeypatch, capsys):
    """By somebody whose PATH does not have the scripts of this installation."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert run_cli(["init", str(tmp_path / "my own")]) == 0
    assert run_cli(["quickstart", str(tmp_path / "q s"), "--mock"]) == 0
    shown = capsys.readouterr().out
    labels = ["Run it:", "Look at every call:"]
    commands = [shlex.split(line) for line in re.findall(rf"(?:{'|'.join(labels)})(.*)", shown)]
    assert [command[1:-1] for command in commands] == [["run"], ["view", "--log-dir"]]
    assert all(shutil.which(command[0]) for command in commands)
    assert commands[0][-1] == str(tmp_path / "my own" / "study.yaml")


def test_the_quickstart_runs_no_study_of_somebody_else(tmp_path):
    project.init(tmp_path / "mine")
    with pytest.raises(ConfigError, match="'my_study', not the quickstart: choose another folder"):
        project.quickstart(tmp_path / "mine", mock=True)
    assert not (tmp_path / "mine" / "studies").exists()


@pytest.mark.local_model
@pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="the extra local-model is not installed"
)
def test_the_quickstart_study_runs_on_the_real_model_like_any_other(tmp_path):
    """Two problems of the quickstart, for real: the way a new user's first runs go."""
    config = project.quickstart_config(tmp_path / "q", mock=False)
    text = config.read_text().replace("policy: full-interactive", "policy: dev")
    config.write_text(re.sub(r"max_tokens: \d+", "max_tokens: 8", text))
    assert run_cli(["run", str(config)]) == 0
    solutions = api.table(config, "solutions")
    assert len(solutions) == 4 and set(solutions["usd"]) == {0.0}
    assert solutions["solution"].notna().all() and (solutions["output_tokens"] > 0).all()
    assert [health.verdict for health in api.preflight(config)] == ["ok"]
    assert project.quickstart(tmp_path / "q").run.calls == 0


def test_what_pip_has_compiled_is_no_part_of_a_project(tmp_path, monkeypatch):
    packaged = tmp_path / "package"
    shutil.copytree(Path(project.__file__).parent / "builtin", packaged / "builtin")
    (packaged / "builtin" / "dg" / "__pycache__").mkdir()
    (packaged / "builtin" / "dg" / "__pycache__" / "definitions.cpython-311.pyc").touch()
    monkeypatch.setattr(project, "files", lambda name: packaged)
    made = project.init(tmp_path / "mine")
    assert "definitions.py" in {path.name for path in made}
    assert not list((tmp_path / "mine").rglob("*.pyc"))
