"""The definitions of all studies: golden names, clashes, broken files, light imports."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._utils.schedules import is_valid_cron_schedule
from hypothesis import example, given
from hypothesis import strategies as st

from itemeval_assets.core.config.sections import AutomationConfig
from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.tables.schemas import TABLES
from itemeval_assets.dagster_io.naming.names import FIGURES
from itemeval_assets.defs import build
from itemeval_assets.defs.build import build_definitions
from itemeval_assets.defs.shown.metadata import column_schema
from itemeval_assets.settings import Settings
from tests.defs.graph import SNAPSHOT, as_yaml, small_location
from tests.defs.runs import QUIET, toy_study
from tests.studies import write_study
from tests.ticks import ticked

# What these assets found is in their metadata, and in no table.
WITHOUT_TABLE = {"costs", "estimate", "preflight", "release", "report", "results", *FIGURES}
HEAVY = ["pandas", "pyarrow", "inspect_ai", "datasets"]


def settings(root: Path, **others: str) -> Settings:
    return Settings(root=root, **others)  # type: ignore[arg-type]


def test_the_graph_of_a_study(tmp_path) -> None:
    """Where this fails on purpose: `python -m tests.defs.graph` writes the snapshot anew."""
    assert as_yaml(small_location(tmp_path)) == SNAPSHOT.read_text(encoding="utf-8")


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


def broken_location(root: Path) -> dict[str, tuple[Path, str]]:
    """Two sound studies beside six broken ones: {group: (file, what its message says)}."""
    write_study(root / "a-good", study="good")
    write_study(root / "b-good", study="a-b")
    clash = write_study(root / "clash", study="a_b")
    clash_of_groups = write_study(root / "clash-2", study="good_on_demand")
    misspelt = write_study(root / "misspelt", study="misspelt", extra={"budgett": {}})
    cron = write_study(root / "never", extra={"automation": {"cron": "99 * * * *"}})
    missing = write_study(root / "x", study="x", extra={"facets": {"rubric": ["unwritten"]}})
    torn = write_study(root / "torn")
    torn.write_bytes(b"st\xffudy: [torn")
    folder = root / "unreadable" / "study.yaml"
    folder.mkdir(parents=True)
    return {
        "a_b_broken": (clash, "'a_b' and 'a-b'"),
        "good_on_demand_broken": (
            clash_of_groups,
            "have the same name in Dagster; rename one of them",
        ),
        "misspelt_broken": (misspelt, "did you mean 'budget'"),
        "toy_broken": (cron, "automation.cron: '99 * * * *' is a time that never comes"),
        "torn_broken": (torn, "is not UTF-8 text"),
        "unreadable_broken": (folder, "is a folder"),
        "x_broken": (missing, "'unwritten': there is no file"),
    }


def test_a_broken_study_is_seen_beside_sound_ones(tmp_path, caplog) -> None:
    wanted = broken_location(tmp_path)
    definitions = build_definitions(settings(tmp_path))
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    sound = {"good", "good_on_demand", "a_b", "a_b_on_demand"}
    assert {node.group_name for node in graph.asset_nodes} == {*wanted, *sound}
    with dg.DagsterInstance.ephemeral() as instance:
        for group, (path, says) in wanted.items():
            node = graph.get(dg.AssetKey([group, "study"]))
            assert not node.is_materializable and says in (node.description or "")
            assert str(path) in caplog.text
            tick = ticked(
                definitions.resolve_sensor_def(group), dg.build_sensor_context(instance=instance)
            )
            for event in tick.asset_events:
                instance.report_runless_asset_event(event)
            [key] = node.check_keys
            record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
            assert record.event and record.event.dagster_event
            found = record.event.dagster_event.asset_check_evaluation_data
            assert (found.passed, says in (found.description or "")) == (False, True)
            again = ticked(
                definitions.resolve_sensor_def(group),
                dg.build_sensor_context(instance=instance, cursor=tick.cursor),
            )
            assert not again.asset_events
        # Once it is mended, nothing of it is left in the catalog.
        assert not instance.all_asset_keys()


def test_a_study_that_is_mended_is_itself_again(tmp_path) -> None:
    config = write_study(tmp_path / "toy", extra={"budgett": {}})
    definitions = build_definitions(settings(tmp_path))

    def passes() -> bool:
        key = dg.AssetCheckKey(dg.AssetKey(["toy_broken", "study"]), "loads")
        job = definitions.resolve_implicit_global_asset_job_def()
        job = job.get_subset(asset_selection=set(), asset_check_selection={key})
        [found] = job.execute_in_process(run_config=QUIET).get_asset_check_evaluations()
        return found.passed

    assert not passes()
    write_study(config.parent)
    assert passes()
    groups = {node.group_name for node in loaded_graph(tmp_path).asset_nodes}
    assert groups == {"toy", "toy_on_demand"}


def loaded_graph(root: Path) -> Any:
    return build_definitions(settings(root)).resolve_asset_graph()


def test_whatever_goes_wrong_in_one_study_is_told_without_secrets(tmp_path, monkeypatch) -> None:
    for name in ("one", "two"):
        write_study(tmp_path / name, study=name)
    load = build.load_in_location

    def fails_for_one(path: Path) -> Any:
        if path.parent.name == "one":
            raise RuntimeError("refused: sk-proj-abcdefghijklmnopqrstuvwxyz123456")
        return load(path)

    monkeypatch.setattr(build, "load_in_location", fails_for_one)
    graph = loaded_graph(tmp_path)
    assert {node.group_name for node in graph.asset_nodes} == {
        "one_broken",
        "two",
        "two_on_demand",
    }
    said = graph.get(dg.AssetKey(["one_broken", "study"])).description
    assert said and "RuntimeError: refused" in said and "sk-proj" not in said


def test_who_validates_is_told_the_problems_of_all_files_in_one_message(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
    wanted = broken_location(tmp_path)
    with pytest.raises(ConfigError) as refused:
        build_definitions(settings(tmp_path))
    message = str(refused.value)
    for path, says in wanted.values():
        # A template that is missing is named by where it would be.
        assert says in message and str(path.parent) in message


FIELDS = ["*", "0", "7", "8", "31", "59", "60", "*/5", "*/0", "1-5", "5-1", "1,2", "L", "MON"]
FIELDS += ["2", "JAN", "1#2", "L5", "1-40/2"]


@given(st.lists(st.sampled_from(FIELDS), min_size=5, max_size=5).map(" ".join))
@example("0 0 31 2 *")
@example("0 0 31 4 *")
@example("*/0 * * * *")
@example("0 0 * * 8")
def test_a_cron_that_the_study_takes_is_one_for_dagster(cron: str) -> None:
    """Dagster takes the whole code location down for one that it cannot read."""
    try:
        AutomationConfig(cron=cron)
    except ValueError:
        return
    assert is_valid_cron_schedule(cron)


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
