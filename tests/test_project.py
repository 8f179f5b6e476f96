"""Scaffolding and the quickstart, as a new user meets them."""

import importlib.util
import re
import shlex
import shutil

import pytest

from itemeval_assets import api, project
from itemeval_assets.cli import run_cli
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables import GRADINGS_LONG


def test_init_makes_a_project_that_runs_at_once(tmp_path):
    project.init(tmp_path / "mine")
    summary = api.run(tmp_path / "mine" / "study.yaml")
    assert summary.calls == 48 + 48 and not summary.errored and not summary.failed_checks
    assert (tmp_path / "mine" / "dagster_home" / "dagster.yaml").exists()


def test_init_overwrites_nothing(tmp_path):
    (tmp_path / "study.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"study\.yaml: already there"):
        project.init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_quickstart_on_mock_models(tmp_path):
    first = project.quickstart(tmp_path / "q", mock=True)
    assert first.run.calls > 12 and first.errored == 0
    assert {row["graded_by"] for row in first.scores} >= {"numeric"}
    assert all(0 <= row["mean_score"] <= 1 for row in first.scores)
    frame = api.table(first.config, "gradings_long")
    assert list(frame.columns) == GRADINGS_LONG.column_names
    assert project.quickstart(tmp_path / "q", mock=True).run.calls == 0


def test_what_is_printed_next_can_be_run(tmp_path, monkeypatch, capsys):
    """By somebody whose PATH does not have the scripts of this installation."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert run_cli(["init", str(tmp_path / "my own")]) == 0
    assert run_cli(["quickstart", str(tmp_path / "q s"), "--mock"]) == 0
    shown = capsys.readouterr().out
    labels = ["Run it:", "Look at it in Dagster:", "Look at every call:"]
    commands = [shlex.split(line) for line in re.findall(rf"(?:{'|'.join(labels)})(.*)", shown)]
    assert [command[1:-1] for command in commands] == [["run"], ["ui"], ["view", "--log-dir"]]
    assert all(shutil.which(command[0]) for command in commands)
    assert [command[-1] for command in commands[:2]] == [
        str(tmp_path / "my own" / "study.yaml"),
        str(tmp_path / "q s" / "study.yaml"),
    ]


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
    config.write_text(text)
    assert run_cli(["run", str(config)]) == 0
    solutions = api.table(config, "solutions")
    assert len(solutions) == 4 and set(solutions["usd"]) == {0.0}
    assert solutions["solution"].notna().all() and (solutions["output_tokens"] > 0).all()
    assert [health.verdict for health in api.preflight(config)] == ["ok"]
    assert project.quickstart(tmp_path / "q").run.calls == 0
