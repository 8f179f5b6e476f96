"""Studies of tasks in Dagster: definitions know a task by what was kept of it, and load none."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from itemeval_assets import api
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.settings import Settings
from tests.defs.runs import QUIET
from tests.task_files import QUESTIONS, write_task_study
from tests.whole.looking import rows


def groups(folder: Path) -> set[str | None]:
    graph = build_definitions(Settings(root=folder)).resolve_asset_graph()
    return {node.group_name for node in graph.asset_nodes}


def test_a_study_whose_task_nobody_loaded_is_shown_with_the_command_that_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = write_task_study(tmp_path / "toy")
    assert groups(tmp_path) == {"toy_broken"}
    assert "itemeval-assets estimate" in caplog.text
    api.estimate(config)
    assert groups(tmp_path) == {"toy", "toy_on_demand"}


def test_definitions_load_neither_inspect_ai_nor_the_task(tmp_path: Path) -> None:
    write_task_study(tmp_path)
    api.estimate(tmp_path / "study.yaml")
    (tmp_path / "tasks.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{QUESTIONS}")
    code = (
        "import sys, itemeval_assets.definitions as found;"
        "names = [n.key.path[0] for n in found.defs.resolve_asset_graph().asset_nodes];"
        "print('toy' in names, *({'inspect_ai', 'pandas', 'pyarrow'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr
    assert not (tmp_path / "ran").exists()


def test_assets_of_a_task_are_materialized_in_dagster(tmp_path: Path) -> None:
    config = write_task_study(tmp_path / "toy")
    api.estimate(config)
    study = api.load_study(config)
    definitions = build_definitions(Settings(root=tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_implicit_global_asset_job_def()
        items = job.get_subset(asset_selection={dg.AssetKey(["toy", "items"])})
        assert items.execute_in_process(run_config=QUIET, instance=instance).success
    found = rows(config, "items")
    assert [row["item_id"] for row in found] == ["s1", "s2", "s3", "s4"]
    [condition] = study.design.generate
    assert condition.label == "a · sums"
    lock = json.loads((Path(study.location) / "task_lock.json").read_text())
    assert lock["items"] == 4 and lock["packages"]["inspect_ai"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"scores": 5}', b"\xff"])
def test_a_damaged_lock_is_named_and_what_to_do(
    tmp_path: Path, damage: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    from itemeval_assets.cli.main import run_cli

    config = write_task_study(tmp_path)
    api.estimate(config)
    lock = tmp_path / "studies" / "toy" / "task_lock.json"
    lock.write_bytes(damage)
    for command in ("status", "estimate"):
        assert run_cli([command, str(config)]) == 2
        said = capsys.readouterr().err
        assert str(lock) in said and "the next estimate or run loads the task again" in said
        assert lock.read_bytes() == damage
    lock.unlink()
    assert run_cli(["estimate", str(config)]) == 0
