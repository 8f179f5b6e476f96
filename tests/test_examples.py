"""The studies of `examples/` do what their READMEs say, on mock models."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import datasets
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli

EXAMPLES = Path(__file__).parents[1] / "examples"
# A task, data of the hub, judges, and data of one's own; the others are in the long form.
SHORT = {"agent", "hub", "judges", "own_csv"}
# Rows as the dataset of the hub has them.
AIME = [
    {"problem_idx": n, "problem": f"What is {n} times 3?", "answer": 3 * n} for n in range(1, 15)
]


class Hub:
    """Stands in for the client of the hub, which no test reaches."""

    def dataset_info(self, id: str, revision: str | None) -> Any:
        return type("Info", (), {"sha": "e" * 40})()


@pytest.fixture
def copied(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An example in a folder of its own, which is the current one."""
    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: AIME)
    folder = tmp_path / request.param
    shutil.copytree(EXAMPLES / request.param, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "copied",
    [
        pytest.param(path.name, marks=() if path.name in SHORT else pytest.mark.long)
        for path in sorted(EXAMPLES.iterdir())
    ],
    indirect=True,
)
def test_an_example_runs_as_its_readme_says(copied: Path) -> None:
    readme = (copied / "README.md").read_text("utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^itemeval-assets (.*)", readme, re.M)]
    assert commands and len(readme.splitlines()) <= 20
    for command in commands:
        assert run_cli(command) == 0, command
    (config,) = copied.rglob("study.yaml")
    assert set(api.count_cells(config).states) <= {"done", "not_planned"}


@pytest.fixture
def forgotten() -> Iterator[None]:
    """The project's modules are loaded in the test alone."""
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "evals"]:
        del sys.modules[name]


@pytest.mark.parametrize("copied", ["platform"], indirect=True)
def test_the_project_for_dagster_has_the_study_and_its_schedule(
    copied: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None
) -> None:
    source = copied / "src"
    monkeypatch.syspath_prepend(source)
    found = dg.load_from_defs_folder(path_within_project=source / "evals" / "definitions.py")
    (schedule,) = found.schedules or []
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.name, schedule.cron_schedule) == ("nightly_reruns", "0 3 * * *")
    assert found.executor is dg.in_process_executor
    graph = found.resolve_asset_graph()
    assert graph.get(dg.AssetKey(["nightly", "solutions"])).owners == ["team:evals"]
