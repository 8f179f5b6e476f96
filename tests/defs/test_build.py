"""The definitions of all studies: golden names, clashes, broken files, light imports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables import TABLES
from itemeval_assets.defs.build import build_definitions, load_studies
from itemeval_assets.defs.metadata import column_schema
from itemeval_assets.settings import Settings
from tests.defs.graph import SNAPSHOT, as_text, small_location
from tests.defs.runs import toy_study
from tests.studies import write_study

# What these assets found is in their metadata, and in no table.
WITHOUT_TABLE = {"costs", "estimate", "preflight", "release", "results"}
HEAVY = ["pandas", "pyarrow", "inspect_ai", "datasets"]


def settings(root: Path, **others: str) -> Settings:
    return Settings(root=root, **others)  # type: ignore[arg-type]


def test_the_graph_of_a_study(tmp_path) -> None:
    """Where this fails on purpose: `python -m tests.defs.graph` writes the snapshot anew."""
    assert as_text(small_location(tmp_path)) == SNAPSHOT.read_text(encoding="utf-8")


def test_every_asset_says_what_it_is(tmp_path) -> None:
    graph = build_definitions(settings(tmp_path), [toy_study(tmp_path)]).resolve_asset_graph()
    for node in graph.asset_nodes:
        assert node.description
        has_columns = "dagster/column_schema" in node.metadata
        assert has_columns == (node.key.path[-1] not in WITHOUT_TABLE)


def test_all_of_a_studys_group_neither_publishes_nor_pays_beside_its_cells(tmp_path) -> None:
    graph = build_definitions(settings(tmp_path), [toy_study(tmp_path)]).resolve_asset_graph()
    groups: dict[str | None, set[str]] = {}
    for node in graph.asset_nodes:
        groups.setdefault(node.group_name, set()).add(node.key.path[-1])
        alone = not node.parent_keys and not node.child_keys
        assert not alone, f"{node.key} floats beside the graph"
    assert groups.pop("toy_on_demand") == {"estimate", "preflight", "release"}
    assert set(groups) == {"toy"}


def test_everything_loads_as_the_code_server_loads_it(tmp_path) -> None:
    studies = [toy_study(tmp_path / name, study=name) for name in ("one", "two")]
    definitions = build_definitions(settings(tmp_path), studies)
    dg.Definitions.validate_loadable(definitions)
    repository = definitions.get_repository_def()
    repository.load_all_definitions()
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "one_reruns",
        "two_reruns",
    }
    assert {"one_automation", "two_automation"} <= {s.name for s in repository.sensor_defs}
    for schedule in repository.schedule_defs:
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


def test_the_ui_shows_the_columns_of_each_table_and_the_conditions_of_the_design(tmp_path) -> None:
    study = toy_study(tmp_path)
    graph = build_definitions(settings(tmp_path), [study]).resolve_asset_graph()
    gradings = graph.get(dg.AssetKey(["toy", "gradings"])).metadata
    columns = gradings["dagster/column_schema"].columns
    assert [column.name for column in columns] == TABLES["gradings"].column_names
    generate = gradings["generate conditions"].records
    assert [record.data["condition_id"] for record in generate] == [
        condition.id for condition in study.design.generate
    ]
    assert generate[1].data["model"] == "mockllm/a" and generate[1].data["prompt"] == "long"
    assert [record.data["graded by"] for record in gradings["grade conditions"].records] == [
        "numeric",
        "mockllm/judge",
    ]


def test_several_studies_live_side_by_side(tmp_path) -> None:
    for name in ("one", "two"):
        write_study(tmp_path / name, study=name)
    graph = build_definitions(settings(tmp_path)).resolve_asset_graph()
    groups = [node.group_name for node in graph.asset_nodes]
    assert set(groups) == {"one", "one_on_demand", "two", "two_on_demand"}
    assert groups.count("one") == groups.count("two") > 9


def test_no_study_is_no_mistake(tmp_path) -> None:
    assert not list(build_definitions(settings(tmp_path)).resolve_asset_graph().asset_nodes)


def test_two_names_that_dagster_cannot_tell_apart_are_refused(tmp_path) -> None:
    for folder, name in (("one", "a-b"), ("two", "a_b"), ("three", "a-b_on_demand")):
        write_study(tmp_path / folder, study=name)
    with pytest.raises(ConfigError) as refused:
        build_definitions(settings(tmp_path))
    message = str(refused.value)
    assert "'a_b' and 'a-b'" in message and "are one name to Dagster; rename one" in message
    for folder in ("one", "two"):
        assert str(tmp_path / folder / "study.yaml") in message


def test_the_problems_of_all_files_come_in_one_message(tmp_path) -> None:
    write_study(tmp_path / "good", study="good")
    misspelt = write_study(tmp_path / "misspelt", extra={"budgett": {}})
    torn = write_study(tmp_path / "torn")
    torn.write_text("study: [torn")
    missing = write_study(tmp_path / "unwritten", extra={"facets": {"rubric": ["unwritten"]}})
    with pytest.raises(ConfigError) as refused:
        load_studies(settings(tmp_path))
    message = str(refused.value)
    for path in (misspelt, torn, missing.parent):
        assert str(path) in message
    assert "budgett" in message and "did you mean 'budget'" in message
    assert "not valid YAML" in message and "'unwritten': there is no file" in message


def test_dagster_validates_the_definitions_and_nothing_heavy_is_imported(tmp_path) -> None:
    write_study(tmp_path / "project")
    light = (
        "import json, sys; from itemeval_assets.definitions import defs;"
        "defs.get_repository_def();"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    validate = ["-m", "dagster", "definitions", "validate", "-m", "itemeval_assets.definitions"]
    started = [start(validate, tmp_path), start(["-c", light], tmp_path)]
    (valid, said), (_, heavy) = [finished(process) for process in started]
    assert valid == 0, said
    assert json.loads(heavy.splitlines()[-1]) == []


def start(arguments: list[str], folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "ITEMEVAL_ASSETS_STUDIES": "project/study.yaml"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def test_every_column_says_what_it_is() -> None:
    for table in TABLES.values():
        for column in column_schema(table.name)["dagster/column_schema"].columns:
            assert column.description, f"{table.name}.{column.name}"


def test_a_backfill_takes_as_many_partitions_per_run_as_the_study_says(tmp_path) -> None:
    for size in (None, 2):
        study = toy_study(tmp_path / str(size), extra={"automation": {"partitions_per_run": size}})
        graph = build_definitions(settings(tmp_path), [study]).resolve_asset_graph()
        for asset in ("solutions", "gradings", "gradings_long"):
            policy = graph.get(dg.AssetKey([study.name, asset])).backfill_policy
            assert policy and policy.max_partitions_per_run == size
