"""One study, run in all ways: the same tables, times, runs and logs aside."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from itemeval_assets import api
from itemeval_assets.cli.main import run_cli
from itemeval_assets.dagster_io.naming.keys import PartitionKeys
from itemeval_assets.engine.study_files import load_study
from itemeval_assets.instances.instance import ensure_home
from tests.defs.runs import finish, runs_of
from tests.faults.study_runs import table_contents
from tests.studies import write_study
from tests.whole.test_schedule import ticking

pytestmark = [pytest.mark.faults, pytest.mark.shown]
EVERY = bool(os.environ.get("TEST_EVERY"))
Way = Callable[[Path], None]


def declare(folder: Path, **extra: Any) -> Path:
    """Two models, a scorer and a judge, two items twice."""
    return write_study(
        folder,
        models=["mockllm/a", "mockllm/b"],
        items=2,
        replications=2,
        extra={"cache": False, **extra},
    )


def by_commands(*lines: str) -> Way:
    def run(config: Path) -> None:
        for line in lines:
            assert run_cli(["run", str(config), *line.split()]) == 0

    return run


def by_api(config: Path) -> None:
    api.run(config, only="solutions", max_usd=math.inf)
    api.run(config, max_usd=1.0)


def by_dagster(config: Path) -> None:
    with runs_of(load_study(config)) as runs:
        finish(runs)


def by_the_schedule(config: Path) -> None:
    """Until the schedule has nothing more to ask for."""
    with ticking(load_study(config)) as (tick, execute):
        for _ in range(4):
            requests = tick()
            if isinstance(requests, dg.SkipReason):
                return
            execute(requests)
    raise AssertionError("the schedule finds no end")


def by_processes(*command: str, in_ranges: bool) -> Way:
    """A command of Dagster for the assets of each stage, over all of their partitions."""

    def run(config: Path) -> None:
        study = load_study(config)
        environment = {
            **os.environ,
            "ITEMEVAL_ASSETS_STUDIES": str(config),
            "DAGSTER_HOME": str(ensure_home(config.parent)),
        }
        for assets, partitions in (
            ("items", []),
            ("solutions,generation_ledger", study.generate_partitions()),
            ("gradings,grading_ledger,gradings_long", study.grade_partitions()),
        ):
            selected = ",".join(f"toy/{name}" for name in assets.split(","))
            for options in _over(list(map(PartitionKeys(study).of, partitions)), in_ranges):
                line = [sys.executable, "-m", *command, selected, *options]
                subprocess.run(line, cwd=ROOT, env=environment, check=True)

    return run


def _over(keys: list[str], in_ranges: bool) -> list[list[str]]:
    if not keys:
        return [[]]
    if in_ranges:
        return [["--partition-range", f"{keys[0]}...{keys[-1]}"]]
    return [["--partition", key] for key in keys]


# Where `dg` finds the project.
ROOT = Path(__file__).parents[2]
DEFINITIONS = ("-m", "itemeval_assets.definitions")
WAYS: dict[str, Way] = {
    "dev first, stage by stage": by_commands(
        "--policy=dev --only=solutions", "--policy=dev --only=gradings", "--policy=full-batch"
    ),
    "dagster": by_dagster,
    "schedule": by_the_schedule,
}
EVERY_WAY: dict[str, Way] = {
    "full-interactive": by_commands("--policy=full-interactive --yes"),
    "full-batch": by_commands("--policy=full-batch --max-usd=1"),
    "workers": by_commands("--workers=2"),
    "workers, in batches, by condition": by_commands(
        "--workers=2 --policy=full-batch --condition=mockllm/a",
        "--workers=2 --condition=mockllm/b --grader=numeric",
        "--workers=2 --grader=mockllm/judge --rubric=strict",
    ),
    "api": by_api,
    "dg launch": by_processes("dagster_dg_cli.cli", "launch", "--assets", in_ranges=True),
    "dagster asset materialize": by_processes(
        "dagster", "asset", "materialize", *DEFINITIONS, "--select", in_ranges=False
    ),
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The tables of a plain run."""
    config = declare(tmp_path_factory.mktemp("plain"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(tmp_path_factory.mktemp("home")))
        assert run_cli(["run", str(config)]) == 0
        return _told(config)


@pytest.mark.parametrize("place", ["disk", "bucket"] if EVERY else ["disk"])
@pytest.mark.parametrize("name", {**WAYS, **EVERY_WAY} if EVERY else WAYS)
def test_every_way_gives_the_same_tables(
    name: str, place: str, tmp_path: Path, expected: dict[str, Any], request: Any
) -> None:
    bucket = {"output_dir": request.getfixturevalue("s3_location")} if place == "bucket" else {}
    config = declare(tmp_path, **bucket)
    {**WAYS, **EVERY_WAY}[name](config)
    assert _told(config) == expected
    tags = set().union(*(run.tags for run in _runs(config)))
    if name == "schedule":
        assert "itemeval_assets/rerun_of" in tags
    elif not name.startswith(("dagster", "dg")):
        commands = {".dagster/itemeval_assets_process", ".dagster/itemeval_assets_reserved_by"}
        assert commands <= tags
    if tags:  # runs in memory are gone
        assert {"study", "stage", "condition", "grader", "cost"} <= tags


def _told(config: Path) -> dict[str, Any]:
    """The rows of all tables, each table in an order of its own."""
    return {
        table: sorted(rows, key=lambda row: sorted(map(str, row.items())))
        for table, rows in table_contents(config).items()
    }


def _runs(config: Path) -> list[dg.DagsterRun]:
    with dg.DagsterInstance.from_config(str(ensure_home(config.parent))) as instance:
        return [*instance.get_runs()]
