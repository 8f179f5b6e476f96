"""docs/experiments.md: its code runs, in order, as one project; its commands exist."""

import re
import sys
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from itemeval_assets.cli.main import run_cli
from itemeval_assets.experiments import ExperimentRunSettings, ExperimentStorageSettings, registry
from itemeval_assets.experiments.layout.keys import RunPlace

PAGE = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.delenv("SCYTHE_STORAGE_BUCKET", raising=False)
    monkeypatch.setattr(registry, "_registered", {})  # the toys have one of that name
    yield tmp_path
    sys.modules.pop("my_experiments", None)


def test_the_code_of_the_page_runs_as_one_project(project, capsys):
    module, *blocks = re.findall(r"^```py\n(.*?)^```", PAGE, re.M | re.S)
    (project / "my_experiments.py").write_text(module)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/experiments.md", "exec"), names)
    assert isinstance(names["scalars"], pd.DataFrame) and len(names["scalars"]) == 2
    assert isinstance(names["defs"], dg.Definitions)
    assert (project / "here" / "final" / "scalars.pq").exists()
    assert run_cli(["experiments", "list", "simulate_energy"]) == 0
    assert "complete" in capsys.readouterr().out


def test_the_tree_names_every_part_of_a_run():
    tree, *_ = re.findall(r"^```text\n(.*?)^```", PAGE, re.M | re.S)
    found = {name: value for name, value in vars(RunPlace).items() if not name.startswith("_")}
    parts = {n for n, value in found.items() if hasattr(value, "__get__") and not callable(value)}
    assert parts == {
        *("experiment_id", "prefix", "manifest", "io_spec", "input_artifacts", "specs"),
        *("workflow_spec", "completion", "exchange", "shard_inputs", "shard_outputs", "final"),
    }
    for name in (
        *("manifest.yml", "experiment_io_spec.yml", "input_artifacts.yml", "specs.pq"),
        *("workflow_spec.yml", "completion.yml", "scatter-gather/", "final/", "scalars.pq"),
    ):
        assert name in tree


def test_every_setting_is_on_the_page():
    for settings in (ExperimentStorageSettings, ExperimentRunSettings):
        prefix = settings.model_config.get("env_prefix", "")
        for field in settings.model_fields:
            assert f"`{prefix}{field.upper()}`" in PAGE
